// What the parts of the C interface share: the instruction set in use, checks, and errors.
#pragma once

#include <string>

#include "kernels.h"

namespace tidegate {

// The text of what went wrong in this thread's last call.
extern thread_local std::string last_error;

// Remembers what went wrong, and returns its code.
int fail(int code, const std::string &what);

// The kernels in use, or null where TIDEGATE_ISA asks for some that are not there: then
// `isa_fault` says so.
const Kernels *kernels();
const char *isa_fault();

// The family of a kind as those kernels compute it, or null.
const Family *family_of(int32_t kind);

// Checks what a sequence and the layer of a stream have in common: their cell, and that arrays of
// so many steps are within reach. Returns a code.
int check_cell(const tidegate_sequence &q, int64_t steps);

}  // namespace tidegate
