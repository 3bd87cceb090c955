// doctest's main, and `--list-isas`: the instruction sets of this machine, for the driver that runs this once for each.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "backends/cpu/cpu_backend.h"
#include "doctest/doctest.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list-isas") == 0) {
    for (const std::string& isa : deberta::cpu_instruction_sets()) std::printf("%s\n", isa.c_str());
    return 0;
  }
#ifndef _WIN32
  // More threads than most tests need, on every machine, unless somebody asks for another number.
  setenv("DEBERTA_NUM_THREADS", "3", 0);
#endif
  return doctest::Context(argc, argv).run();
}
