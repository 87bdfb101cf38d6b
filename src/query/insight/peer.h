// Whom a span talks to, by its attributes: what stands in the graph for databases, queues and third
// parties that send no spans. The attributes are OpenTelemetry's semantic conventions, with the
// names that they had before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/peer.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/row_labels.h"
#include "query/insight/call_graph.h"

namespace weft::query::insight {

// The peers of some rows of a group: rows with the same attributes have the same peer. One thread;
// the columns must outlive it.
class Peers {
 public:
  // Of the rows in `rows`.
  static Result<Peers> Open(const exec::Bitmap& rows, exec::GroupColumns* columns);

  // Peers are numbered 0 .. size() - 1.
  uint32_t size() const { return labels_.size(); }
  uint32_t of(uint32_t row) const { return labels_.of(row); }

  // See model::PeerOf. The name is empty where nobody says.
  NodeName NameOf(uint32_t peer) const;

 private:
  Peers(exec::RowLabels labels, std::vector<uint8_t> attributes)
      : labels_(std::move(labels)), attributes_(std::move(attributes)) {}

  exec::RowLabels labels_;
  std::vector<uint8_t> attributes_;  // which attribute each label is
};

// The first label of a host name, or the whole of what is none: `email` of `email.shop.svc`.
std::string_view HostLabel(std::string_view address);

}  // namespace weft::query::insight
