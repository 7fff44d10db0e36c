import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "./address";

describe("addresses", () => {
  it("are read as they were written", () => {
    for (const search of ["", "?page=live&from=now-1h&to=now&refresh=5s&tz=utc&panel=p&var-pipeline=a%26b&var-node=x&var-node=y&q=up&q=sum%281%29", "?refresh=off"]) {
      expect(formatAddress(parseAddress(search))).toBe(search);
    }
  });
  it("drop a refresh that is none", () => expect(parseAddress("?refresh=soon").refresh).toBeUndefined());
});
