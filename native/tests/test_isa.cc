/* What happens where TIDEGATE_ISA names no instruction set: CTest sets it to "nonsense". */
#include <cstring>

#include "check.h"
#include "problem.h"

namespace tests {
namespace {

bool says(const char *what) { return std::strstr(tidegate_error(), what) != nullptr; }

int run_all() {
  where = "TIDEGATE_ISA=nonsense";
  Random random(1);
  Case c;
  c.T = 0;
  const Problem problem(c, random);
  const tidegate_sequence sequence = weights_of(problem);
  CHECK(tidegate_isa() == nullptr, "no set is in use");
  CHECK(says("TIDEGATE_ISA must be one of ") && says("; got 'nonsense'"), tidegate_error());
  CHECK(says(instruction_sets().back().c_str()), "the choices are named");
  CHECK(tidegate_forward(&sequence) == TIDEGATE_BAD_ARGUMENT && says("'nonsense'"),
        tidegate_error());
  CHECK(tidegate_stream_new(&sequence, 1) == nullptr && says("'nonsense'"), tidegate_error());
  CHECK(!tidegate_cell_of(0, 0).name, "no cell without a set");
  CHECK(tidegate_supports(0, 0, 4, 4) == TIDEGATE_UNSUPPORTED, "no cell without a set");
  CHECK(tidegate_choose_isa("portable") == TIDEGATE_OK, tidegate_error());
  CHECK(!std::strcmp(tidegate_isa(), "portable"), "the set that was chosen");
  CHECK(tidegate_cell_of(0, 0).name, "the cells are there again");
  CHECK(infer(library, problem).damage.empty(), "it computes again");
  return report("test_isa");
}

}  // namespace
}  // namespace tests

int main() { return tests::run_all(); }
