// What each instruction set brings: one table.
#pragma once

#include "family.h"

namespace tidegate {

struct Kernels {
  const char *name;
  int units;  // floats in a vector
  const Family *families;
  int count;  // of families; the place of one is its `kind`
  // Multiply-adds in registers, `rounds` times; returns how many flops that was.
  double (*burn)(long rounds);
};

}  // namespace tidegate
