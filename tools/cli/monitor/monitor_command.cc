#include "tools/cli/monitor/monitor_command.h"

#include <fmt/core.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/cli/http_client.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/feed.h"
#include "tools/cli/monitor/screen.h"
#include "tools/cli/monitor/terminal.h"

namespace tidemark::cli {
namespace {

using monitor::Answers;
using monitor::Board;
using monitor::Canvas;
using monitor::Feed;
using monitor::Key;
using monitor::Press;
using monitor::ScreenState;
using monitor::Span;

struct MonitorFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string page = "overview";
  std::string dashboard;
  std::string range;
  std::string size;
  bool once = false;
  bool ascii = false;
  bool plain = false;
};

constexpr double kSpans[] = {60,      300,     900,       3600,      10'800,    21'600,    86'400,
                             172'800, 604'800, 1'209'600, 3'628'800, 7'776'000, 31'536'000};
constexpr std::chrono::seconds kTimeout{15};
// How long a key may wait for the screen, and the screen for an answer.
constexpr int kTickMs = 100;

struct Page {
  std::string title;
  std::shared_ptr<const Board> board;
};

// The pages that ship, and in front of them the saved one that was asked for.
Result<std::vector<Page>> LoadPages(const MonitorFlags& flags, HttpClient& client) {
  std::vector<Page> pages;
  if (!flags.dashboard.empty()) {
    TM_TRY_ASSIGN(const HttpReply reply,
                  client.Send("GET", "/api/v1/dashboards/" + UrlEncode(flags.dashboard), {}, ""));
    if (reply.status == 404) {
      return NotFound(
          fmt::format("there is no saved dashboard \"{}\"; the dashboard's page lists them", flags.dashboard));
    }
    if (reply.status != 200)
      return MakeError(ErrorCode::kUnavailable, fmt::format("the server answered {}", reply.status));
    TM_TRY_ASSIGN(Board board, monitor::ParseBoard(reply.body));
    pages.push_back({board.title, std::make_shared<const Board>(std::move(board))});
  }
  for (const monitor::ShippedBoard& shipped : monitor::ShippedBoards()) {
    TM_TRY_ASSIGN(Board board, monitor::ParseBoard(shipped.json));
    pages.push_back({board.title, std::make_shared<const Board>(std::move(board))});
  }
  return pages;
}

struct Size {
  int width = 80;
  int height = 24;
};

// "80x24".
Result<Size> ParseSize(const std::string& text) {
  Size size;
  if (std::sscanf(text.c_str(), "%dx%d", &size.width, &size.height) != 2 || size.width < 20 || size.height < 5 ||
      size.width > 1000 || size.height > 1000) {
    return InvalidArgument(fmt::format("--size {} is not a size such as 80x24, from 20x5 to 1000x1000", text));
  }
  return size;
}

int PointsOf(int width) { return std::clamp(width / 2, 20, 120); }

// Whether nothing but ASCII can be shown.
bool NeedsAscii(const MonitorFlags& flags) {
  if (flags.ascii) return true;
  if (std::string_view(::nl_langinfo(CODESET)) != "UTF-8") return true;
  const char* const term = std::getenv("TERM");
  return term != nullptr && (std::string_view(term) == "linux" || std::string_view(term) == "dumb");
}

bool WantsColor(const MonitorFlags& flags) {
  const char* const no_color = std::getenv("NO_COLOR");
  return !flags.plain && (no_color == nullptr || *no_color == '\0');
}

int Once(const MonitorFlags& flags, const std::vector<Page>& pages, size_t page, HttpClient& client, Span span) {
  Size size;
  if (!flags.size.empty()) {
    const Result<Size> given = ParseSize(flags.size);
    if (!given.ok()) return Fail(given.error().message);
    size = *given;
  } else if (winsize window{}; ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 20) {
    size.width = window.ws_col;
  }
  span.points = PointsOf(size.width);
  const Board& board = *pages[page].board;
  Answers answers = NoAnswers(board);
  if (const Result<void> asked = AskBoard(client, board, &span, &answers); !asked.ok()) {
    return Fail(asked.error().message);
  }
  ScreenState state{.board = &board, .answers = &answers, .pages = {}, .page = page, .span = span, .trouble = {}};
  if (flags.size.empty()) {
    // All of the page, however long it is.
    Canvas measure(size.width, 5, false);
    size.height = DrawScreen(state, &measure) + 2;
  }
  Canvas canvas(size.width, size.height, NeedsAscii(flags));
  DrawScreen(state, &canvas);
  fmt::print("{}", canvas.Text(WantsColor(flags) && ::isatty(STDOUT_FILENO) != 0));
  return 0;
}

// What keys change.
struct Watching {
  size_t page = 0;
  double length_s = 900;
  bool paused = false;
  bool help = false;
  bool ask = true;  // at once
  int scroll = 0;
};

// The page that ships with that id; a saved dashboard may have the same in front of it.
std::optional<size_t> PageOf(const std::vector<Page>& pages, std::string_view id) {
  for (size_t i = pages.size(); i-- > 0;) {
    if (pages[i].board->id == id) return i;
  }
  return std::nullopt;
}

// false: the end.
bool React(const Press& press, const std::vector<Page>& pages, int height, Watching* watching) {
  const auto turn_to = [&](size_t page) {
    watching->page = page;
    watching->length_s = pages[page].board->range_s;
    watching->scroll = 0;
    watching->ask = true;
  };
  switch (press.key) {
    case Key::kQuit:
      if (!watching->help) return false;
      watching->help = false;
      break;
    case Key::kHelp: watching->help = !watching->help; break;
    case Key::kPause: watching->paused = !watching->paused; break;
    case Key::kRefresh: watching->ask = true; break;
    case Key::kNextPage: turn_to((watching->page + 1) % pages.size()); break;
    case Key::kPageBefore: turn_to((watching->page + pages.size() - 1) % pages.size()); break;
    case Key::kAlerts: turn_to(PageOf(pages, "alerts").value_or(watching->page)); break;
    case Key::kSilences: turn_to(PageOf(pages, "silences").value_or(watching->page)); break;
    case Key::kRules: turn_to(PageOf(pages, "rules").value_or(watching->page)); break;
    case Key::kDigit: {
      // The tenth page is at 0.
      const size_t number = press.digit == 0 ? 10 : static_cast<size_t>(press.digit);
      if (number <= pages.size()) turn_to(number - 1);
      break;
    }
    case Key::kLonger:
      for (const double span : kSpans) {
        if (span <= watching->length_s) continue;
        watching->length_s = span;
        watching->ask = true;
        break;
      }
      break;
    case Key::kShorter:
      for (size_t i = std::size(kSpans); i-- > 0;) {
        if (kSpans[i] >= watching->length_s) continue;
        watching->length_s = kSpans[i];
        watching->ask = true;
        break;
      }
      break;
    case Key::kUp: watching->scroll -= 1; break;
    case Key::kDown: watching->scroll += 1; break;
    case Key::kPageUp: watching->scroll -= height - 3; break;
    case Key::kPageDown: watching->scroll += height - 3; break;
    case Key::kResize: watching->ask = true; break;
    case Key::kOther: break;
  }
  return true;
}

int Watch(const MonitorFlags& flags, const std::vector<Page>& pages, Watching watching,
          std::unique_ptr<HttpClient> client) {
  using std::chrono::steady_clock;
  const bool ascii = NeedsAscii(flags);
  Feed feed(std::move(client));
  {
    monitor::Terminal terminal(WantsColor(flags));
    std::vector<std::string> titles;
    for (const Page& page : pages) titles.push_back(page.title);
    auto asked_at = steady_clock::now();
    uint64_t shown = 0;
    bool draw = true;
    for (;;) {
      const std::shared_ptr<const Board>& board = pages[watching.page].board;
      const auto every = std::chrono::duration<double>(std::max(board->refresh_s, 1.0));
      if (watching.ask || (!watching.paused && board->refresh_s > 0 && steady_clock::now() - asked_at >= every)) {
        feed.Ask(board, {.end_s = 0, .length_s = watching.length_s, .points = PointsOf(terminal.width())});
        asked_at = steady_clock::now();
        watching.ask = false;
      }
      const Feed::Snapshot latest = feed.Latest();
      if (draw || latest.number != shown) {
        const bool same = latest.board == board;
        const Answers none = NoAnswers(*board);
        ScreenState state{.board = board.get(),
                          .answers = same ? &latest.answers : &none,
                          .pages = titles,
                          .page = watching.page,
                          .span = same ? latest.span : Span{.end_s = 0, .length_s = watching.length_s, .points = 60},
                          .paused = watching.paused,
                          .help = watching.help,
                          .scroll = watching.scroll,
                          .trouble = latest.trouble};
        Canvas canvas(terminal.width(), terminal.height(), ascii);
        const int lines = DrawScreen(state, &canvas);
        const int most = std::max(lines - (terminal.height() - 2), 0);
        if (watching.scroll < 0 || watching.scroll > most) {
          watching.scroll = std::clamp(watching.scroll, 0, most);
          continue;
        }
        terminal.Show(canvas);
        shown = latest.number;
        draw = false;
      }
      if (const std::optional<Press> press = terminal.Read(kTickMs)) {
        draw = true;
        if (!React(*press, pages, terminal.height(), &watching)) break;
      }
    }
  }
  std::fflush(nullptr);
  // A server that does not answer holds nobody up: there is nothing left to do.
  if (feed.busy()) std::quick_exit(0);
  return 0;
}

int Monitor(const MonitorFlags& flags) {
  std::setlocale(LC_ALL, "");
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  (*client)->set_timeout(kTimeout);
  const Result<std::vector<Page>> pages = LoadPages(flags, **client);
  if (!pages.ok()) return Fail(pages.error().message);
  Watching watching;
  if (flags.dashboard.empty()) {
    const auto found = std::ranges::find(*pages, flags.page, [](const Page& page) { return page.board->id; });
    if (found == pages->end()) {
      std::string known;
      for (const Page& page : *pages) known += (known.empty() ? "" : ", ") + page.board->id;
      return Fail(fmt::format("there is no page \"{}\": {}", flags.page, known));
    }
    watching.page = static_cast<size_t>(found - pages->begin());
  }
  watching.length_s = (*pages)[watching.page].board->range_s;
  if (!flags.range.empty()) {
    const std::optional<double> length = monitor::ParseSpan(flags.range);
    if (!length || *length < 1) return Fail(fmt::format("--range {} is not a duration such as 15m or 6h", flags.range));
    watching.length_s = *length;
  }
  if (flags.once)
    return Once(flags, *pages, watching.page, **client, {.end_s = 0, .length_s = watching.length_s, .points = 60});
  if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0) {
    return Fail("there is no terminal to draw on; --once prints one screen");
  }
  return Watch(flags, *pages, watching, std::move(*client));
}

}  // namespace

void AddMonitor(CLI::App& app, Action* action) {
  auto flags = std::make_shared<MonitorFlags>();
  AddServerFlag(app, &flags->server);
  app.add_option("--page", flags->page, "page of the dashboard to begin with")
      ->group("What is shown")
      ->capture_default_str();
  app.add_option("--dashboard", flags->dashboard, "a saved dashboard, in place of a page")->group("What is shown");
  app.add_option("--range", flags->range, "how long a time is shown (default: the page's): 15m, 6h, 7d")
      ->group("What is shown");
  app.add_flag("--once", flags->once, "print one screen and end")->group("Screen");
  app.add_option("--size", flags->size,
                 "of that screen, such as 80x24 (default: as wide as the terminal, the whole page)")
      ->group("Screen");
  app.add_flag("--ascii", flags->ascii, "draw with ASCII alone")->group("Screen");
  app.add_flag("--plain", flags->plain, "without colours (as NO_COLOR=1)")->group("Screen");
  app.callback([flags, action] { *action = [flags] { return Monitor(*flags); }; });
}

}  // namespace tidemark::cli
