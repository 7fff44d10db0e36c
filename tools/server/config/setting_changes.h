// What is different between the settings in force and those that were read again.
#pragma once

#include <string>
#include <vector>

#include "tools/server/config/config.h"

namespace tidemark::server {

// Marks the rows of settings that a reload takes over (Daemon::Reload puts each where it counts); the others need a
// restart.
void MarkLive(std::vector<Setting>* rows);

// Keys of settings, in the order of the table.
struct SettingChanges {
  std::vector<std::string> taken;
  std::vector<std::string> need_restart;
};

// Puts into `in_force` what of `wanted` may change while a server runs; what may not stays as it is there.
SettingChanges TakeSettings(Config wanted, Config* in_force);

}  // namespace tidemark::server
