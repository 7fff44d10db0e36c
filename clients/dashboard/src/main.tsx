import { render } from "preact";
import { App } from "./shell/app";
import { startClock } from "./shell/state";
import "./shell/theme.css";

const home = document.getElementById("app");
if (home) {
  render(<App />, home);
  startClock();
}
