"""Debian's python3-influxdb over TLS. Arguments: the port, the file of whom to believe, a good token, and one that is none. Prints
one JSON object."""
import json
import sys

import influxdb
from influxdb.exceptions import InfluxDBClientError

port, certificate, good, bad = sys.argv[1:]


def client(password):
    return influxdb.InfluxDBClient(host="localhost", port=int(port), username="ada", password=password, database="py", ssl=True,
                                   verify_ssl=certificate, retries=1)


one, out = client(good), {}
one.create_database("py")
out["written"] = one.write_points([{"measurement": "m", "tags": {"host": "a"}, "fields": {"v": 3.5}}])
out["databases"] = [row["name"] for row in one.get_list_database()]
out["measurements"] = [row["name"] for row in one.get_list_measurements()]
try:
    client(bad).write_points([{"measurement": "m", "fields": {"v": 1}}])
    out["refused"] = "accepted"
except InfluxDBClientError as error:
    out["refused"] = error.code
print(json.dumps(out))
