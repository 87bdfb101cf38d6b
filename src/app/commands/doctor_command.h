// `weft doctor`: where traces fall into pieces, and what to do.
#pragma once

#include <string>
#include <string_view>

#include "app/commands/console.h"
#include "app/commands/question.h"

namespace weft::app::commands {

struct DoctorOptions {
  ServerChoice server;
  std::string service;  // only what concerns it; empty: all
  TimeFlags times;
  bool json = false;  // one finding a line; also when standard output is no terminal
};

// 0 when the answer is complete, whatever it finds; 1 when it is not or the server refuses, 2 when
// the options are wrong.
int RunDoctor(const DoctorOptions& options, const Console& console = Console::OfProcess());

// A finding of the API for people, several lines. `number` is shown before it.
std::string DescribeFinding(const boost::json::value& finding, size_t number, const Stream& stream);

}  // namespace weft::app::commands
