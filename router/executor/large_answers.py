"""A very large answer, projected and encoded piece by piece.

As Python objects, JSON takes about six times its bytes, and its projection half of that again. Where one request's
answer is all there is to a response, nothing has to stand there as a whole: the answer's bytes are walked down to
pieces, and each piece is decoded, projected and written before the next one is looked at.

Like the compiled projection this refuses whatever is out of place; the answer is then read as a whole, and reported on
with paths.
"""

from typing import Any, cast

import msgspec
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, is_leaf_type

from router.executor.compiled_projection import OUT_OF_PLACE, CompiledProjection, OutOfPlace
from router.executor.shape import INTROSPECTION_FIELDS, FieldShape, ObjectShape, ShapeReader

#: What is not larger than this is decoded as a whole; as objects it takes less than half a megabyte.
PIECE_BYTES = 64 * 1024

#: What `encode_large_answer` may raise when something is out of place. Msgspec finds the malformed JSON.
OUT_OF_PLACE_IN_BYTES = (*OUT_OF_PLACE, msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_encoder = msgspec.json.Encoder()
_encode = _encoder.encode
_encode_into = _encoder.encode_into
_decode = msgspec.json.Decoder().decode
_decode_pieces_of_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_pieces_of_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_NULL = msgspec.Raw(b"null")
_AT_THE_END = -1


def encode_large_answer(
    reader: ShapeReader, projection: CompiledProjection, answer: msgspec.Raw, *, piece_bytes: int = PIECE_BYTES
) -> msgspec.Raw:
    """Return *answer*, the data of the only request of an operation, as the JSON of the client's response data.

    What is not larger than *piece_bytes*, at least the 4 of a null, is decoded as a whole. Raises one of
    OUT_OF_PLACE_IN_BYTES when the answer is not what the projection expects.
    """
    writer = _Writer(reader, projection, piece_bytes)
    writer.write_object(reader.root(), _decode_pieces_of_object(answer))
    return msgspec.Raw(writer.buffer)


class _Writer:
    """Writes one response. Mutable on purpose: *buffer* is what has been written so far."""

    def __init__(self, reader: ShapeReader, projection: CompiledProjection, piece_bytes: int) -> None:
        self.buffer = bytearray()
        self._piece_bytes = piece_bytes
        self._reader = reader
        self._projection = projection

    def write_object(self, shape: ObjectShape, pieces: dict[str, msgspec.Raw]) -> None:
        buffer = self.buffer
        separator = b"{"
        for field in shape.fields:
            buffer += separator + _encode(field.response_key) + b":"
            separator = b","
            piece = pieces.get(field.response_key)
            if piece is None or not self._is_large(piece) or _is_leaf(field):
                source = {} if piece is None else {field.response_key: _decode(piece)}
                projected = self._projection.function_of_field(shape, field)(source)
                _encode_into(projected[field.response_key], buffer, _AT_THE_END)
            else:
                self._write_value(field, field.type_, piece)
        buffer += b"}" if shape.fields else b"{}"

    def _write_value(self, field: FieldShape, type_: GraphQLOutputType, piece: msgspec.Raw) -> None:
        """Write a large object, or a list of objects of any size."""
        inner = cast("GraphQLNonNull[Any]", type_).of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(inner, GraphQLList):
            self._write_list(field, inner.of_type, _decode_pieces_of_list(piece))
            return
        pieces = _decode_pieces_of_object(piece)
        self.write_object(self._shape_of(field, pieces), pieces)

    def _write_list(self, field: FieldShape, item_type: GraphQLOutputType, items: list[msgspec.Raw]) -> None:
        buffer = self.buffer
        is_nullable = not isinstance(item_type, GraphQLNonNull)
        inner = item_type if is_nullable else cast("GraphQLNonNull[Any]", item_type).of_type
        project = None if isinstance(inner, GraphQLList) else self._projection.function_of_objects(field)
        separator = b"["
        # from the end, so that a piece can be forgotten as soon as it is written
        items.reverse()
        is_empty = not items
        while items:
            piece = items.pop()
            buffer += separator
            separator = b","
            if project is not None and not self._is_large(piece):
                value = _decode(piece)
                if value is None and not is_nullable:
                    raise OutOfPlace
                _encode_into(None if value is None else project(value), buffer, _AT_THE_END)
            elif piece == _NULL:
                if not is_nullable:
                    raise OutOfPlace
                buffer += b"null"
            else:
                self._write_value(field, item_type, piece)
        buffer += b"[]" if is_empty else b"]"

    def _is_large(self, piece: msgspec.Raw) -> bool:
        return memoryview(piece).nbytes > self._piece_bytes

    def _shape_of(self, field: FieldShape, pieces: dict[str, msgspec.Raw]) -> ObjectShape:
        if isinstance(field.named_type, GraphQLObjectType):
            return self._reader.object_shape(field.named_type, field.selection_sets)
        shape = self._reader.shape_of_typename(field, _decode(pieces["__typename"]))
        if shape is None:
            raise OutOfPlace
        return shape


def _is_leaf(field: FieldShape) -> bool:
    return field.name in INTROSPECTION_FIELDS or is_leaf_type(field.named_type)
