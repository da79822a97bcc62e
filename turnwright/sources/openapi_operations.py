"""One operation of an OpenAPI document as one tool: what a caller says becomes parameters, what comes back the result.

Path, query and header parameters and the fields of a JSON or form body stand side by side as arguments. What
authenticates (headers and queries of the security schemes, `Authorization`, cookies) is no argument: a model never
holds a key. Servers, callbacks and links say nothing about a tool.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from schemas.content import canonical_json
from schemas.seeds import SeedTool
from schemas.sources import is_secret_name
from turnwright.sources.json_text import excerpt
from turnwright.sources.openapi_schemas import resolve_schema
from turnwright.tools.json_schema import DEEPEST, ReferenceProblem, find_target
from turnwright.tools.naming import distinct_name, split_words, to_ascii

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_READS = frozenset({"get", "head", "options", "trace"})
_LONGEST_DESCRIPTION = 1_024
_LARGEST_RESULT = 16_384
"""Characters of a result's schema above which its deeper references are cut."""
_LEVELS = (DEEPEST, 8, 6, 5, 4, 3, 2)
_PLACES = ("path", "query", "header")
_PLAIN_HEADERS = frozenset({"accept", "content-type", "authorization", "cookie"})
"""Headers that are not described as parameters (OpenAPI, Parameter Object), and cookies."""
_BODY_KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


@dataclass
class Operations:
    """The operations of a document, named without clashes."""

    document: Mapping[str, Any]
    names: set[str] = field(default_factory=set[str])

    def list_tools(self) -> Iterator[SeedTool]:
        """Each operation, in the order of the document; one that cannot be described has a problem."""
        secrets = self._find_secrets()
        paths = self.document.get("paths")
        for path, listed in _items(paths):
            try:
                item = self._follow(listed)
            except ReferenceProblem as problem:
                yield SeedTool(spec=excerpt(str(path)), origin=f"path {path}", problem=str(problem))
                continue
            if not isinstance(item, dict):
                yield SeedTool(spec=excerpt(str(path)), origin=f"path {path}", problem="unreadable: is not an object")
                continue
            shared = cast("dict[str, Any]", item)
            for method in METHODS:
                if method in shared:
                    yield self._describe(method, str(path), shared, secrets)

    def _describe(
        self, method: str, path: str, item: Mapping[str, Any], secrets: frozenset[tuple[str, str]]
    ) -> SeedTool:
        origin = f"{method.upper()} {path}"
        operation = item[method]
        if not isinstance(operation, dict):
            return SeedTool(spec=excerpt(str(operation)), origin=origin, problem="unreadable: is not an object")
        own = cast("dict[str, Any]", operation)
        name = self._name(own.get("operationId"), method, path)
        try:
            properties, required = self._read_arguments(item, own, path, secrets)
            output = self._read_result(own)
        except ReferenceProblem as problem:
            return SeedTool(spec=name, origin=origin, problem=str(problem))
        parameters: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            parameters["required"] = required
        function = {"name": name, "description": _describe_operation(own, origin), "parameters": parameters}
        return SeedTool(
            spec={"type": "function", "function": function},
            output_schema=output,
            effect="read" if method in _READS else "write",
            origin=origin,
        )

    def _name(self, identity: Any, method: str, path: str) -> str:
        """The operationId in legal characters, or method and path: `get_orders_by_id` for `GET /orders/{id}`."""
        given = re.sub(r"[^A-Za-z0-9_-]+", "_", to_ascii(identity)).strip("_")[:64] if isinstance(identity, str) else ""
        if not given or given in self.names:
            steps = [part for part in path.split("/") if part]
            words = [f"by_{part[1:-1]}" if re.fullmatch(r"\{.+\}", part) else part for part in steps]
            given = "_".join(split_words(to_ascii(" ".join([method, *words]))))[:64].strip("_")
        name = distinct_name(given, self.names)
        self.names.add(name)
        return name

    def _read_arguments(
        self, item: Mapping[str, Any], operation: Mapping[str, Any], path: str, secrets: frozenset[tuple[str, str]]
    ) -> tuple[dict[str, Any], list[str]]:
        properties: dict[str, Any] = {}
        required: list[str] = []

        def add(name: str, prefix: str, schema: dict[str, Any], needed: bool) -> None:
            legal = re.sub(r"[^A-Za-z0-9_.-]+", "_", to_ascii(name)).strip("_.")[:64] or prefix
            if legal in properties:
                legal = distinct_name(f"{prefix}_{legal}"[:64], properties)
            properties[legal] = schema
            if needed:
                required.append(legal)

        parameters = self._list_parameters(item, operation)
        for parameter in parameters:
            place, name = parameter.get("in"), parameter.get("name")
            if not isinstance(name, str) or not _is_argument(str(place), name, secrets):
                continue
            schema = self._read_parameter(parameter)
            add(name, str(place), schema, parameter.get("required") is True or place == "path")
        described = {str(parameter.get("name")) for parameter in parameters if parameter.get("in") == "path"}
        for name in re.findall(r"\{([^{}/]+)\}", path):
            if name not in described:
                add(name, "path", {"type": "string"}, True)
        body = self._follow(operation.get("requestBody"))
        if isinstance(body, dict):
            self._read_body(cast("dict[str, Any]", body), add)
        return properties, required

    def _list_parameters(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Those of the path and of the operation; the operation's own one wins (OpenAPI, Operation Object)."""
        found: dict[tuple[Any, Any], dict[str, Any]] = {}
        for holder in (item, operation):
            listed = holder.get("parameters")
            for entry in cast("list[Any]", listed) if isinstance(listed, list) else []:
                parameter = self._follow(entry)
                if isinstance(parameter, dict):
                    own = cast("dict[str, Any]", parameter)
                    found[str(own.get("in")), str(own.get("name"))] = own
        return sorted(found.values(), key=lambda own: _PLACES.index(own["in"]) if own.get("in") in _PLACES else 9)

    def _read_parameter(self, parameter: Mapping[str, Any]) -> dict[str, Any]:
        schema = parameter.get("schema")
        if schema is None:
            media = _choose_media(parameter.get("content")) or {}
            schema = media.get("schema")
        resolved = resolve_schema(schema if schema is not None else {"type": "string"}, self.document, "request")
        description = parameter.get("description")
        if isinstance(description, str) and description.strip():
            resolved["description"] = description.strip()
        return resolved

    def _read_body(self, body: Mapping[str, Any], add: Any) -> None:
        """The fields of an object as arguments of their own, any other body as the argument `body`.

        A body counts as required unless the document says that it is not: most leave it out and mean it.
        """
        media = _choose_media(body.get("content"))
        if media is None:
            return
        schema = resolve_schema(media.get("schema") or {}, self.document, "request")
        needed = body.get("required") is not False
        properties = schema.get("properties")
        extra = schema.get("additionalProperties")
        mergeable = schema.get("type", "object") in ("object", ["object"]) and not isinstance(extra, dict)
        if isinstance(properties, dict) and properties and mergeable and not _is_choice(schema):
            wanted = schema.get("required")
            names = cast("list[Any]", wanted) if isinstance(wanted, list) else []
            for name, part in cast("dict[str, Any]", properties).items():
                add(name, "body", part if isinstance(part, dict) else {}, needed and name in names)
            return
        description = body.get("description")
        if isinstance(description, str) and description.strip() and "description" not in schema:
            schema["description"] = description.strip()
        add("body", "request", schema, needed)

    def _read_result(self, operation: Mapping[str, Any]) -> dict[str, Any] | None:
        """Schema of the first response that means success; none where nothing is said about it."""
        responses = {str(code).upper(): value for code, value in _items(operation.get("responses"))}
        codes = sorted(code for code in responses if re.fullmatch(r"2\d\d|2XX", code))
        for code in codes:
            response = self._follow(responses[code])
            media = (
                _choose_media(cast("dict[str, Any]", response).get("content")) if isinstance(response, dict) else None
            )
            if media is not None and isinstance(media.get("schema"), dict):
                return self._fit_result(media["schema"]) or None
        return None

    def _fit_result(self, schema: Any) -> dict[str, Any]:
        """The schema of a result, with its deeper references cut where the whole would be larger than a result is."""
        for levels in _LEVELS:
            try:
                resolved = resolve_schema(schema, self.document, "response", levels)
            except ReferenceProblem as problem:
                if problem.code != "too_large" or levels == _LEVELS[-1]:
                    raise
                continue
            if len(canonical_json(resolved)) <= _LARGEST_RESULT:
                return resolved
        return resolve_schema(schema, self.document, "response", _LEVELS[-1])

    def _find_secrets(self) -> frozenset[tuple[str, str]]:
        """Place and name of the parameters that hold keys."""
        components = self.document.get("components")
        schemes = cast("dict[str, Any]", components).get("securitySchemes") if isinstance(components, dict) else None
        found: set[tuple[str, str]] = set()
        for _, scheme in _items(schemes):
            if isinstance(scheme, dict):
                own = cast("dict[str, Any]", scheme)
                found.add((str(own.get("in")), str(own.get("name")).lower()))
        return frozenset(found)

    def _follow(self, value: Any) -> Any:
        """What a reference object refers to; anything else as it is."""
        for _ in range(16):
            if not isinstance(value, dict) or "$ref" not in value:
                return cast("Any", value)
            value = find_target(cast("dict[str, Any]", value)["$ref"], self.document)
        raise ReferenceProblem("broken_reference", "references lead to references without an end")


def _describe_operation(operation: Mapping[str, Any], origin: str) -> str:
    """Summary and first paragraph of the description; where neither stands there, method, path and what comes back."""
    texts = [operation.get(key) for key in ("summary", "description")]
    told = [text.strip() for text in texts if isinstance(text, str) and text.strip()]
    if len(told) == 2:
        first, second = told[0].rstrip("."), told[1].split("\n\n", 1)[0]
        told = [second] if second.lower().startswith(first.lower()) else [f"{first}. {second}"]
    elif told:
        told = [told[0].split("\n\n", 1)[0]]
    text = " ".join(" ".join(told).split()) or origin
    return text if len(text) <= _LONGEST_DESCRIPTION else f"{text[: _LONGEST_DESCRIPTION - 1]}…"


def _is_argument(place: str, name: str, secrets: frozenset[tuple[str, str]]) -> bool:
    if place not in _PLACES or (place, name.lower()) in secrets:
        return False
    return place != "header" or not (name.lower() in _PLAIN_HEADERS or is_secret_name(name))


def _is_choice(schema: Mapping[str, Any]) -> bool:
    return any(key in schema for key in ("anyOf", "oneOf", "allOf", "not", "if", "$ref"))


def _choose_media(content: Any) -> dict[str, Any] | None:
    """The body of a kind that holds fields: JSON before forms; otherwise the first."""
    listed = {str(kind).split(";")[0].strip().lower(): value for kind, value in _items(content)}
    kinds = [kind for kind in _BODY_KINDS if kind in listed]
    kinds += [kind for kind in listed if kind.endswith("+json") or kind == "*/*"] or list(listed)
    chosen = listed[kinds[0]] if kinds else None
    return cast("dict[str, Any]", chosen) if isinstance(chosen, dict) else None


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(cast("dict[str, Any]", value).items()) if isinstance(value, dict) else []
