"""Points, and how they become a native batch: rows with the same fields are a table, each field is a column."""
import dataclasses
import decimal

import flatbuffers

from tidemark.wire import (Batch, BoolValues, Column, DataTable, DecimalValues, Dictionary, Float64Values, Int64Values,
                           StringValues, Times, UInt64Values)
from tidemark.wire.Values import Values

INT64_MIN, INT64_MAX, UINT64_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
MAX_SCALE = 255


class UInt(int):
    """An unsigned field: another type to the server than the signed one."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One row. Fields are bool, int (int64), UInt, float, decimal.Decimal (kept exactly up to 53 bits), or str."""
    measurement: str
    tags: dict
    fields: dict
    time_ns: int = None

    def at(self, time_ns):
        return dataclasses.replace(self, time_ns=time_ns)


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def sized(text):
    encoded = text.encode("utf-8")
    return varint(len(encoded)) + encoded


def series_key(measurement, tags):
    """Measurement, then name and value of each tag by the bytes of its name; tags without a value are left out."""
    pairs = sorted((name.encode("utf-8"), name, value) for name, value in tags.items() if value != "")
    return sized(measurement) + b"".join(sized(name) + sized(value) for _, name, value in pairs)


def kind_of(name, value):
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, UInt):
        if not 0 <= value <= UINT64_MAX:
            raise ValueError(f"field \"{name}\": {value} is no unsigned number of 64 bits")
        return "uint"
    if isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            raise ValueError(f"field \"{name}\": {value} is no number of 64 bits")
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, decimal.Decimal):
        return "decimal" if value.is_finite() else "float"
    if isinstance(value, str):
        return "string"
    raise ValueError(f"field \"{name}\": {type(value).__name__} is no type of a field")


def mantissas(values):
    """Integers and the one scale by which they are divided; None when that does not hold them."""
    scale = max(0, max(-value.as_tuple().exponent for value in values))
    if scale > MAX_SCALE:
        return None
    with decimal.localcontext() as context:
        context.prec = 400
        numbers = [int(value.scaleb(scale)) for value in values]
    # Negative zero is a float of its own.
    if any(not INT64_MIN <= number <= INT64_MAX for number in numbers) or any(v.is_zero() and v.is_signed() for v in values):
        return None
    return numbers, scale


class Encoder:
    """Remembers which series the server was told. `client`: a name that no other sender has."""

    def __init__(self, client):
        self._client, self._generation = client, 1
        self._numbers = {}
        self._told = 0  # series that the server has acknowledged

    def acknowledge(self):
        self._told = len(self._numbers)

    def forget(self):
        self._numbers.clear()
        self._told = 0
        self._generation += 1

    def encode(self, points, alone=False, sequence=0, write_id=""):
        """The batch, and for each of its rows the place of its point. `alone`: it names all its series and leaves none.
        `sequence` and `write_id` are for TCP, where no header says them."""
        numbers = {} if alone else self._numbers
        first = 0 if alone else self._told
        tables = {}
        for place, point in enumerate(points):
            if not point.fields:
                raise ValueError(f"a point of \"{point.measurement}\" without a field")
            shape = tuple((name, kind_of(name, value)) for name, value in point.fields.items())
            key = series_key(point.measurement, point.tags)
            table = tables.setdefault(shape, ([], [], []))
            table[0].append(numbers.setdefault(key, len(numbers)))
            table[1].append(point.time_ns)
            table[2].append(place)
        builder = flatbuffers.Builder(1 << 16)
        built = [self._table(builder, shape, table, points) for shape, table in tables.items()]
        dictionary = self._dictionary(builder, None if alone else self._client, first, list(numbers)[first:])
        vector = vector_of(builder, built, Batch.BatchStartTablesVector, builder.PrependUOffsetTRelative)
        name = builder.CreateString(write_id) if write_id else None
        Batch.BatchStart(builder)
        Batch.BatchAddDictionary(builder, dictionary)
        Batch.BatchAddTables(builder, vector)
        if sequence:
            Batch.BatchAddSequence(builder, sequence)
        if name is not None:
            Batch.BatchAddWriteId(builder, name)
        builder.Finish(Batch.BatchEnd(builder), file_identifier=b"TMNB")
        return bytes(builder.Output()), [place for table in tables.values() for place in table[2]]

    def _dictionary(self, builder, client, first, keys):
        name = builder.CreateString(client) if client else None
        ends, total = [], 0
        for key in keys:
            total += len(key)
            ends.append(total)
        ends = vector_of(builder, ends, Dictionary.DictionaryStartKeyEndsVector, builder.PrependUint32)
        joined = builder.CreateByteVector(b"".join(keys))
        Dictionary.DictionaryStart(builder)
        if name is not None:
            Dictionary.DictionaryAddClient(builder, name)
        Dictionary.DictionaryAddGeneration(builder, self._generation)
        Dictionary.DictionaryAddFirst(builder, first)
        Dictionary.DictionaryAddKeyEnds(builder, ends)
        Dictionary.DictionaryAddKeys(builder, joined)
        return Dictionary.DictionaryEnd(builder)

    @staticmethod
    def _table(builder, shape, table, points):
        series, times, places = table
        columns = [column(builder, name, kind, [points[place].fields[name] for place in places]) for name, kind in shape]
        columns = vector_of(builder, columns, DataTable.DataTableStartColumnsVector, builder.PrependUOffsetTRelative)
        values = vector_of(builder, times, Times.TimesStartValuesVector, builder.PrependInt64)
        Times.TimesStart(builder)
        Times.TimesAddValues(builder, values)
        moments = Times.TimesEnd(builder)
        numbers = vector_of(builder, series, DataTable.DataTableStartSeriesVector, builder.PrependUint32)
        DataTable.DataTableStart(builder)
        DataTable.DataTableAddSeries(builder, numbers)
        DataTable.DataTableAddTimes(builder, moments)
        DataTable.DataTableAddColumns(builder, columns)
        return DataTable.DataTableEnd(builder)


def vector_of(builder, values, start, prepend):
    start(builder, len(values))
    for value in reversed(values):
        prepend(value)
    return builder.EndVector()


def numbers_of(builder, values, module, name, prepend):
    """A member of the union that has nothing but `values`."""
    vector = vector_of(builder, values, getattr(module, name + "StartValuesVector"), prepend)
    getattr(module, name + "Start")(builder)
    getattr(module, name + "AddValues")(builder, vector)
    return getattr(module, name + "End")(builder)


def values_of(builder, kind, values):
    """The member of the union, and its table."""
    if kind == "decimal":
        if (whole := mantissas(values)) is not None:
            vector = vector_of(builder, whole[0], DecimalValues.DecimalValuesStartMantissasVector, builder.PrependInt64)
            DecimalValues.DecimalValuesStart(builder)
            DecimalValues.DecimalValuesAddMantissas(builder, vector)
            DecimalValues.DecimalValuesAddScale(builder, whole[1])
            return Values.DecimalValues, DecimalValues.DecimalValuesEnd(builder)
        kind, values = "float", [float(value) for value in values]
    if kind == "string":
        encoded, ends, total = [value.encode("utf-8") for value in values], [], 0
        for text in encoded:
            total += len(text)
            ends.append(total)
        ends = vector_of(builder, ends, StringValues.StringValuesStartEndsVector, builder.PrependUint32)
        joined = builder.CreateByteVector(b"".join(encoded))
        StringValues.StringValuesStart(builder)
        StringValues.StringValuesAddEnds(builder, ends)
        StringValues.StringValuesAddBytes(builder, joined)
        return Values.StringValues, StringValues.StringValuesEnd(builder)
    member, module, prepend = {
        "int": ("Int64Values", Int64Values, builder.PrependInt64),
        "uint": ("UInt64Values", UInt64Values, builder.PrependUint64),
        "float": ("Float64Values", Float64Values, builder.PrependFloat64),
        "bool": ("BoolValues", BoolValues, builder.PrependUint8),
    }[kind]
    if kind == "float":
        values = [float(value) for value in values]
    return getattr(Values, member), numbers_of(builder, values, module, member, prepend)


def column(builder, name, kind, values):
    member, table = values_of(builder, kind, values)
    text = builder.CreateString(name)
    Column.ColumnStart(builder)
    Column.ColumnAddName(builder, text)
    Column.ColumnAddValuesType(builder, member)
    Column.ColumnAddValues(builder, table)
    return Column.ColumnEnd(builder)
