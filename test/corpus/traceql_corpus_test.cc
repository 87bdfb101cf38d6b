// TraceQL's corpus with rows in memory and in blocks.
#include <gtest/gtest.h>

#include "query/lang/traceql/compile.h"
#include "test/corpus/corpus.h"

int main(int argc, char** argv) {
  using weft::corpus::RegisterCorpus;
  testing::InitGoogleTest(&argc, argv);
  const auto compile = [](std::string_view text) {
    return weft::query::lang::traceql::Compile(text);
  };
  RegisterCorpus("traceql", compile, weft::corpus::MemoryPlacements());
  RegisterCorpus("traceql", compile, weft::corpus::BlockPlacements());
  return RUN_ALL_TESTS();
}
