// Replies that are handed on in pieces.
#include "tests/unit/query/api/api_fixture.h"

namespace tidemark::query::api {
namespace {

// Asks for more text than is held at once; gives the pieces.
TEST_F(ApiTest, ALongResultIsHandedOnInPieces) {
  ApiOptions options;
  options.streamed_bytes_min = 1000;
  const QueryApi small = With(options);
  for (const char* form :
       {"query=cpu_user&start=1699999950&end=1700000000&step=1&stats=all", "query=cpu_user&start=0&end=1&step=1",
        "query=sum(cpu_user)&start=1699999950&end=1700000000&step=1", "query=1&start=0&end=900&step=1",
        "query=cpu_user&start=1699999950&end=1700000000&step=1&limit=1"}) {
    const text::Params params = Form(form);
    const ApiRequest request{.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()};
    const Reply whole = api_.QueryRange(request);
    ASSERT_FALSE(whole.rest);
    const Reply reply = small.QueryRange(request);
    EXPECT_EQ(reply.status, 200);
    EXPECT_LT(reply.body.size(), 1100U);
    EXPECT_EQ(static_cast<bool>(reply.rest), whole.body.size() > 1050) << whole.body.size();
    std::string text = reply.body;
    if (reply.rest) {
      reply.rest([&text](std::string piece) {
        text += piece;
        return true;
      });
    }
    const auto before_stats = [](const std::string& body) { return body.substr(0, body.find(R"("stats")")); };
    EXPECT_EQ(before_stats(text), before_stats(whole.body)) << form;
  }
  const text::Params raw = Form("query=cpu_user%5B1h%5D");
  options.streamed_bytes_min = 50;
  const QueryApi tiny = With(options);
  const Reply reply = tiny.Query({.params = raw, .database = {}, .filter = storage::SeriesFilter::Everything()});
  ASSERT_TRUE(reply.rest);
  std::string text = reply.body;
  reply.rest([&text](std::string piece) {
    text += piece;
    return true;
  });
  EXPECT_EQ(text, Call(&QueryApi::Query, "query=cpu_user%5B1h%5D").body);
}

TEST_F(ApiTest, ALongResultEndsWhenNobodyWantsMore) {
  ApiOptions options;
  options.streamed_bytes_min = 100;
  const QueryApi small = With(options);
  const text::Params params = Form("query=1&start=0&end=11000&step=1");
  const Reply reply =
      small.QueryRange({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()});
  ASSERT_TRUE(reply.rest);
  int pieces = 0;
  reply.rest([&pieces](std::string) { return ++pieces < 2; });
  EXPECT_EQ(pieces, 2);
}

}  // namespace
}  // namespace tidemark::query::api
