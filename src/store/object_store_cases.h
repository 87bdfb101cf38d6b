// The tests of what every ObjectStore keeps are in object_store_test.cc; a store's own test file
// instantiates them.
#pragma once

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "store/object_store.h"

namespace weft::store {

// A store, and whatever it stands on.
struct StoreUnderTest {
  std::shared_ptr<void> ground;
  std::shared_ptr<ObjectStore> store;
};

class ObjectStoreCases : public ::testing::TestWithParam<std::function<StoreUnderTest()>> {
 protected:
  ObjectStore& store() { return *under_test_.store; }

 private:
  StoreUnderTest under_test_ = GetParam()();
};

}  // namespace weft::store
