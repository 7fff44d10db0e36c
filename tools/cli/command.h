// Command: one subcommand of `tidemark`. To add one: a pair of files with a function of this type and a row in main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace tidemark::cli {

// What the command does once its flags are read; returns the exit code.
using Action = std::function<int()>;

// Declares the command's flags on `app` and sets `*action` when it is chosen.
using AddCommand = void (*)(CLI::App& app, Action* action);

void AddWrite(CLI::App& app, Action* action);
void AddQuery(CLI::App& app, Action* action);
void AddAdmin(CLI::App& app, Action* action);
void AddExec(CLI::App& app, Action* action);
void AddAlert(CLI::App& app, Action* action);
void AddBench(CLI::App& app, Action* action);
void AddDemo(CLI::App& app, Action* action);
void AddCompletion(CLI::App& app, Action* action);
void AddMan(CLI::App& app, Action* action);

// The flags --server, --token-file, --ca, --certificate and --key, the same for all commands; TIDEMARK_SERVER names
// another default.
void AddServerFlag(CLI::App& app, std::string* server);

// The flags without --server, for commands with a --server of their own.
void AddTokenFlag(CLI::App& app);

// Prints "tidemark: <message>" to standard error and returns the exit code 1.
int Fail(const std::string& message);

}  // namespace tidemark::cli
