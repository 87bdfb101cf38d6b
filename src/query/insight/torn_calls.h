// Steps 4 to 6 of call_survey.h: lone calls and roots are put together.
#pragma once

#include "query/insight/call_survey.h"

namespace weft::query::insight {

// Takes the lone calls and roots from `survey->found` into its graph.
void JoinTornCalls(CallSurvey* survey);

}  // namespace weft::query::insight
