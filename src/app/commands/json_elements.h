// Finds the elements of the list "resourceSpans" (or Tempo's "batches") in JSON text that comes in
// pieces, without holding more than one element: how a document larger than memory is imported.
//
// It only follows strings and brackets; whether an element is good JSON is for its reader to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::app::commands {

class JsonElementScanner {
 public:
  enum class Event {
    kNone,          // all of the piece was looked at, nothing ends in it
    kElementBegin,  // the byte before `used` opens an element
    kElementEnd,    // the byte before `used` closes it
    kDocumentEnd,   // the byte before `used` closes the document; another may follow
    kBroken,        // not JSON at the byte before `used`; no further call
  };
  struct Step {
    Event event = Event::kNone;
    size_t used = 0;  // bytes of the piece up to and with the event
  };

  // Looks at a piece up to the next event. The next call goes on behind it.
  Step Scan(std::string_view piece);
  // Whether no document is open.
  bool between_documents() const { return brackets_.empty(); }

 private:
  void InString(char c);
  Event Structural(char c);
  Event Close(char c);

  std::vector<char> brackets_;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_list_ = false;   // inside the list's brackets
  std::string last_text_;  // the last string of the outermost object, as far as it matters
  std::string key_;        // its last key
};

}  // namespace weft::app::commands
