// What every ObjectStore keeps.
#include "store/object_store.h"

#include <string>
#include <vector>

#include "store/object_store_cases.h"

namespace weft::store {

TEST_P(ObjectStoreCases, WhatIsPutCanBeReadWholeAndInPieces) {
  const std::vector<NamedBytes> objects{{"t/b/one", "1"}, {"t/b/two", "two"}, {"t/three", "333"}};
  ASSERT_TRUE(store().Put(objects).ok());
  for (const NamedBytes& object : objects) {
    const auto bytes = store().Get(object.name);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message();
    EXPECT_EQ(*bytes, object.bytes);
    EXPECT_EQ(*store().GetSized(object.name, object.bytes.size()), object.bytes);
  }
  ASSERT_TRUE(store().Put("t/b/two", "other bytes").ok());
  for (const bool sized : {false, true}) {
    const auto file = sized ? store().OpenSized("t/b/two", 11) : store().Open("t/b/two");
    ASSERT_TRUE(file.ok()) << file.error().message();
    EXPECT_EQ((*file)->size_bytes(), 11u);
    std::string piece(5, ' ');
    ASSERT_TRUE((*file)->ReadAt(6, 5, piece.data()).ok());
    EXPECT_EQ(piece, "bytes");
    EXPECT_EQ((*file)->ReadAt(7, 5, piece.data()).code(), ErrorCode::kCorrupt);
    EXPECT_EQ((*file)->ReadAt(100, 1, piece.data()).code(), ErrorCode::kCorrupt);
  }
}

TEST_P(ObjectStoreCases, ListsWhatLiesDirectlyInAFolder) {
  EXPECT_TRUE(store().List("")->folders.empty());
  EXPECT_TRUE(store().List("nobody")->objects.empty());
  ASSERT_TRUE(store().Put("t/b/f", "12345").ok());
  ASSERT_TRUE(store().Put("t/a/f", "1").ok());
  ASSERT_TRUE(store().Put("t/z", "1").ok());
  ASSERT_TRUE(store().Put("t/g", "12").ok());
  EXPECT_EQ(store().List("")->folders, std::vector<std::string>{"t"});
  const auto listing = store().List("t");
  ASSERT_TRUE(listing.ok());
  EXPECT_EQ(listing->folders, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(listing->objects.size(), 2u);
  EXPECT_EQ(listing->objects[0].name, "g");
  EXPECT_EQ(listing->objects[0].size_bytes, 2u);
  EXPECT_EQ(listing->objects[1].name, "z");
  EXPECT_EQ(store().List("t/b")->objects[0].size_bytes, 5u);
}

TEST_P(ObjectStoreCases, WhatIsNotThereIsNotFoundAndMayBeDeleted) {
  ASSERT_TRUE(store().Put("t/b/f", "x").ok());
  EXPECT_EQ(store().Open("t/none").error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(store().Open("t/b").ok()) << "a folder";
  EXPECT_EQ(store().Get("t/none").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store().GetSized("t/none", 4).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(store().Delete("t/none").ok());
  EXPECT_TRUE(store().DeleteFolder("t/nobody").ok());
  EXPECT_EQ(*store().Get("t/b/f"), "x");
}

TEST_P(ObjectStoreCases, DeletedIsDeleted) {
  ASSERT_TRUE(store().Put("t/b/f", "x").ok());
  ASSERT_TRUE(store().Put("t/b/g", "x").ok());
  ASSERT_TRUE(store().Put("t/c/f", "x").ok());
  EXPECT_TRUE(store().Delete("t/b/f").ok());
  EXPECT_EQ(store().Open("t/b/f").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(*store().Get("t/b/g"), "x");
  EXPECT_TRUE(store().DeleteFolder("t/b").ok());
  EXPECT_EQ(store().List("t")->folders, std::vector<std::string>{"c"});
}

TEST_P(ObjectStoreCases, NoNameLeavesTheStore) {
  for (const char* name : {"", "..", "../x", "a/../b", "/a", "a~b"}) {
    EXPECT_EQ(store().Put(name, "x").code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(store().Open(name).error().code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(store().Get(name).error().code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(store().Delete(name).code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(store().DeleteFolder(name).code(), ErrorCode::kInvalidArgument)
        << name << ": not the whole store either";
  }
  EXPECT_FALSE(store().List("..").ok());
}

}  // namespace weft::store
