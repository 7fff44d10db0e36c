"""What clients/grafana gives to Grafana: the files have the form that Grafana documents, they are what the exporter makes, and a real server answers
each query in them at the address of its source."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
GRAFANA = ROOT / "clients/grafana"
# https://grafana.com/docs/grafana/latest/administration/provisioning/
SOURCE_KEYS = {"name", "type", "access", "orgId", "uid", "url", "user", "database", "basicAuth", "basicAuthUser", "withCredentials", "isDefault", "jsonData",
               "secureJsonData", "version", "editable"}
PROVIDER_KEYS = {"name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates", "options"}
JSON_DATA = {"prometheus": {"httpMethod", "timeInterval", "prometheusType", "prometheusVersion", "manageAlerts", "alertmanagerUid", "httpHeaderName1"},
             "alertmanager": {"implementation", "handleGrafanaManagedAlerts", "httpHeaderName1"}}
PANELS = {"row", "stat", "bargauge", "gauge", "timeseries", "piechart", "histogram", "table", "heatmap", "state-timeline", "text", "alertlist", "dashlist"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer "}


def scalar(text):
    return {"true": True, "false": False}.get(text, int(text) if re.fullmatch(r"\d+", text) else text)


def read_yaml(path):
    """The part of YAML that these files are written in: maps, and lists of maps, by their indentation."""
    lines = [line for line in path.read_text().split("\n") if line.strip() and not line.lstrip().startswith("#")]

    def block(at, indent):
        value = [] if lines[at].lstrip().startswith("- ") else {}
        while at < len(lines) and len(lines[at]) - len(lines[at].lstrip()) == indent:
            line = lines[at]
            if isinstance(value, list):
                lines[at] = " " * (indent + 2) + line[indent + 2:]
                item, at = block(at, indent + 2)
                value.append(item)
                continue
            key, _, text = line.strip().partition(":")
            at += 1
            if text.strip():
                value[key] = scalar(text.strip())
            else:
                value[key], at = block(at, len(lines[at]) - len(lines[at].lstrip()))
        return value, at

    return block(0, 0)[0]


def sources():
    return read_yaml(GRAFANA / "provisioning/datasources/tidemark.yaml")


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def test_sources_have_the_documented_form():
    file = sources()
    expect_equal(set(file), {"apiVersion", "datasources"}, "keys of the file")
    expect_equal(file["apiVersion"], 1, "version")
    uids = [source["uid"] for source in file["datasources"]]
    expect_equal(len(set(uids)), len(uids), "uids are unique")
    expect_equal(len({source["name"] for source in file["datasources"]}), len(uids), "names are unique")
    expect_equal([source["uid"] for source in file["datasources"] if source.get("isDefault")], ["tidemark-default"], "the default")
    for source in file["datasources"]:
        name = source["name"]
        expect(set(source) <= SOURCE_KEYS, f"{name}: {set(source) - SOURCE_KEYS}")
        expect(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", source["uid"]), f"{name}: {source['uid']}")
        expect_equal(source["access"], "proxy", name)
        expect(set(source["jsonData"]) <= JSON_DATA[source["type"]], f"{name}: {source['jsonData']}")
        expect(source["url"].startswith("${TIDEMARK_URL}"), source["url"])
        if source["type"] == "prometheus":
            expect_equal(source["url"], "${TIDEMARK_URL}/db/" + source["uid"].removeprefix("tidemark-"), name)
            expect(source["jsonData"]["alertmanagerUid"] in uids, name)
    file = read_yaml(GRAFANA / "provisioning/dashboards/tidemark.yaml")
    expect_equal((set(file), file["apiVersion"]), ({"apiVersion", "providers"}, 1), "keys of the file")
    for provider in file["providers"]:
        expect(set(provider) <= PROVIDER_KEYS, provider)
        expect_equal((provider["type"], set(provider["options"])), ("file", {"path", "foldersFromFilesStructure"}), provider)


def check_grid(name, dashboard):
    taken = {}
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        expect(at["x"] >= 0 and at["x"] + at["w"] <= 24 and at["h"] >= 1, f"{name}: {panel['title']} {at}")
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                expect((x, y) not in taken, f"{name}: {panel['title']} lies over {taken.get((x, y))}")
                taken[x, y] = panel["title"]


def test_dashboards_have_the_documented_form():
    uids = {source["uid"] for source in sources()["datasources"]} | {"-- Mixed --"}
    seen = set()
    expect(len(dashboards()) >= 9, "each page")
    for name, dashboard in dashboards().items():
        for key in ("uid", "title", "schemaVersion", "panels", "templating", "annotations", "time", "refresh", "links"):
            expect(key in dashboard, f"{name} has no {key}")
        expect(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", dashboard["uid"]) and dashboard["uid"] not in seen, f"{name}: {dashboard['uid']}")
        seen.add(dashboard["uid"])
        ids = [panel["id"] for panel in panels_of(dashboard)]
        expect_equal(len(set(ids)), len(ids), f"{name}: ids of panels")
        check_grid(name, dashboard)
        for panel in panels_of(dashboard):
            expect(panel["type"] in PANELS, f"{name}: {panel['type']}")
            for holder in (panel, *panel.get("targets", [])):
                if "datasource" in holder:
                    expect(holder["datasource"]["uid"] in uids, f"{name}: {holder['datasource']}")
            refs = [target["refId"] for target in panel.get("targets", [])]
            expect_equal(len(set(refs)), len(refs), f"{name}: {panel['title']}")


def test_dashboards_are_what_the_exporter_makes():
    page = BIN.resolve().parent / "clients/dashboard/page"
    if not (page / "node_modules/esbuild").exists() or shutil.which("node") is None:
        print("  (the page was not built here: nothing to compare with)")
        return
    with temporary_folder() as folder:
        # The copy in the build tree may be older than the pages: they are given from the sources.
        files = sorted((ROOT / "clients/dashboard/src/pages/dashboards").glob("*.json"))
        done = subprocess.run(["node", str(page / "bundle/grafana.mjs"), str(folder), *map(str, files)], capture_output=True, text=True)
        expect_equal(done.returncode, 0, done.stderr)
        for path in files:
            expect_equal((folder / path.name).read_text(), (GRAFANA / "dashboards" / path.name).read_text(), f"{path.name}; clients/grafana/README.md says how to make it anew")


def interpolate(text, values):
    for _ in range(4):
        text = re.sub(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", lambda match: values.get(match[1] or match[2], match[0]), text)
    return text


def test_a_server_answers_each_query():
    with temporary_folder() as folder, Server(folder / "data") as server:
        now = int(time.time())
        expect_equal(server.write(f"up,job=x value=1 {now}", precision="s").status, 204, "the write")
        wait_until(lambda: server.query("count(system_load1)", db="_host"), 60, "the host's numbers")
        address = {source["uid"]: source["url"].removeprefix("${TIDEMARK_URL}") for source in sources()["datasources"]}
        host = server.query("system_load1", db="_host")[0]["metric"]["host"]
        asked = answered = 0
        for name, dashboard in dashboards().items():
            values = {"__interval": "15s", "__rate_interval": "1m", "__range": "15m", "__range_s": "900", "host": host}
            for variable in dashboard["templating"]["list"]:
                values.setdefault(variable["name"], "x")
                if variable["type"] != "query":
                    continue
                found = re.fullmatch(r"label_values\((?:(.+),\s*)?(\w+)\)", variable["query"]["query"])
                expect(found, f"{name}: {variable['query']}")
                parameters = {"match[]": interpolate(found[1], values)} if found[1] else {}
                path = f"{address[variable['datasource']['uid']]}/api/v1/label/{found[2]}/values?{urllib.parse.urlencode(parameters)}"
                expect_equal(server.request("GET", path, "", {"Authorization": "Bearer "}).status, 200, path)
            targets = [(panel["title"], target) for panel in panels_of(dashboard) for target in panel.get("targets", [])]
            targets += [(one["name"], {"expr": one["expr"], "datasource": one["datasource"], "range": True}) for one in dashboard["annotations"]["list"]]
            for title, target in targets:
                expr = interpolate(target["expr"], values)
                expect(not re.search(r"\$\w|\$\{", expr), f"{name}: {title}: {expr}")
                form = {"query": expr, **({"start": now - 900, "end": now, "step": 15} if target["range"] else {"time": now})}
                path = address[target["datasource"]["uid"]] + ("/api/v1/query_range" if target["range"] else "/api/v1/query")
                reply = server.request("POST", path, urllib.parse.urlencode(form), FORM)
                # A database that nothing was written to yet is told as such, and has no answer.
                expect(reply.status == 200 or (reply.status == 404 and b"database" in reply.body.encode() if isinstance(reply.body, str) else b"database" in reply.body),
                       f"{name}: {title}: {reply.status} {reply.body}")
                asked += 1
                answered += reply.status == 200 and reply.json()["data"]["result"] != []
        expect(asked > 100 and answered > 10, f"{answered} of {asked} have an answer")
        for path in ("/api/v2/status", "/api/v2/alerts", "/api/v2/silences", "/db/default/config/v1/rules"):
            expect(server.request("GET", path, "", {"Authorization": "Bearer "}).status in ((200, 404) if path.endswith("rules") else (200,)), path)
        info = server.request("GET", "/db/default/api/v1/status/buildinfo").json()["data"]
        expect_equal(info["features"]["ruler_config_api"], "true", "Grafana may change rules")


if __name__ == "__main__":
    run_tests(globals())
