// BackupService: backups as an operator asks for them.
#pragma once

#include "tools/admin/act_handlers.h"
#include "tools/server/backup/backup_maker.h"
#include "tools/server/http/message.h"

namespace tidemark::server::backup {

// Thread-safe. What a reply holds is in the rows of tools/admin/acts.cc.
class BackupService {
 public:
  // It outlives it.
  explicit BackupService(BackupMaker* maker) : maker_(maker) {}

  // The acts that it does: rows of admin::Acts() with a method.
  static admin::ActHandlers<BackupService> Handlers();

 private:
  http::Response List(http::Request& request) const;

  BackupMaker* const maker_;
};

}  // namespace tidemark::server::backup
