#include "base/read_account.h"

namespace weft {
namespace {

thread_local ReadAccount* current = nullptr;

}  // namespace

ReadAccount* ReadAccount::Current() { return current; }

ReadAccountScope::ReadAccountScope(ReadAccount* account) : before_(current) { current = account; }

ReadAccountScope::~ReadAccountScope() { current = before_; }

}  // namespace weft
