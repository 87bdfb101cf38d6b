// Which object store a text names: the setting `store` of the server, --store of the commands.
//
//   ""                               the folder `local_folder` of this machine
//   /path, file:///path              a folder of this machine
//   s3://bucket/prefix               S3; with ?endpoint_override=host:port&scheme=http what speaks
//                                    like it
//   gs://bucket/prefix               Google Cloud Storage
//   abfs://account@host/container/prefix, abfs://container@account.dfs.core.windows.net/prefix
//                                    Azure Blob Storage
//
// Credentials come from where each service's own tools take them (docs/operating.md). A text that
// holds one is refused, so that a store's name may be logged, printed and kept in files.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/error.h"
#include "base/metrics.h"
#include "store/disk_chunks.h"
#include "store/object_store.h"

namespace weft::store {

// kInvalidArgument, with what is accepted, when it is none of the above or holds a credential.
Error CheckStoreName(std::string_view text);

// The folder that it names, empty when it is on no disk of this machine.
std::string FolderOfStore(std::string_view text, const std::string& local_folder);

// As above; asks a store on another machine whether its bucket is there. `disk` says where to keep
// what such a store gives (bytes_max 0: nowhere). `env` and `metrics` must outlive the store. Any
// thread.
Result<std::unique_ptr<ObjectStore>> OpenObjectStore(Env& env, const std::string& text,
                                                     const std::string& local_folder,
                                                     MetricRegistry& metrics,
                                                     const DiskChunksOptions& disk = {});

// The first S3 store of a process starts the AWS SDK, which must be stopped before the process ends
// in order: called once, last in main(), when no store is alive. Nothing can be opened afterwards.
void CloseObjectStores();

}  // namespace weft::store
