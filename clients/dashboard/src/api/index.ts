// What the rest of the page uses of the API.
import { Client, whereAmI } from "./client";

export { ApiError } from "./messages";
export type { Matcher, NewSilence, Silence, ToldAlert } from "./alerting";
export type * from "./types";

const here = whereAmI(typeof location === "undefined" ? "/dashboard" : location.pathname);

export const api = new Client(here.root);
// The database that the page's own address names; "default" without.
export const homeDatabase = here.database || "default";
