// TraceQL's corpus with rows in memory.
#include <gtest/gtest.h>

#include "query/lang/traceql/compile.h"
#include "test/corpus/corpus.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  weft::corpus::RegisterCorpus("traceql", weft::query::lang::traceql::Compile,
                               weft::corpus::MemoryPlacements());
  return RUN_ALL_TESTS();
}
