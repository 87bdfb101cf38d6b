// Memory that the allocator keeps after it was freed.
#pragma once

namespace weft {

// Gives free pages back to the system, at most every two seconds: an allocator keeps the holes
// between what is still used, which after a large piece of work can be as much as what is used.
// Takes a few milliseconds. Any thread.
void ReturnFreeMemory();

}  // namespace weft
