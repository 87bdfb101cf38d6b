"""A trace as the API answers it in columns, made easy to ask about."""


class Span:
    """One span, with its parent and children resolved from the tree columns."""

    def __init__(self, trace, row):
        spans = trace.columns["spans"]
        self.trace = trace
        self.row = row
        self.id = spans["id"][row]
        self.parent_id = spans["parentId"][row]
        self.name = trace.text(spans["name"][row])
        self.kind = KINDS[spans["kind"][row]]
        self.status = STATUSES[spans["status"][row]]
        self.status_message = trace.text(spans["statusMessage"][row])
        self.start = int(spans["start"][row])
        self.duration = int(spans["duration"][row])
        self.resource = trace.resources[spans["resource"][row]]
        self.service = self.resource.get("service.name")
        self.scope = trace.text(trace.columns["scopes"][spans["scope"][row]]["name"])
        self.attributes = trace.attributes(spans["attributes"][row])
        self.marks = spans["marks"][row]
        self.events = []
        self.children = []

    def __repr__(self):
        return f"{self.service}: {self.name}"

    def tree(self):
        """Nested (service, name, [children]) in the order of the answer."""
        return (self.service, self.name, [child.tree() for child in self.children])

    def event(self, name):
        return next((event for event in self.events if event["name"] == name), None)


KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")


class Trace:
    def __init__(self, columns):
        self.columns = columns
        self.dictionary = columns["dictionary"]
        self.resources = [
            self.attributes(r["attributes"]) | {"service.name": self.text(r["service"])}
            for r in columns["resources"]
        ]
        self.spans = [Span(self, row) for row in range(len(columns["spans"]["id"]))]
        self.roots = []
        for span, parent in zip(self.spans, columns["spans"]["parent"]):
            span.parent = None if parent < 0 else self.spans[parent]
            (self.roots if parent < 0 else self.spans[parent].children).append(span)
        events = columns["events"]
        for row, time, name, attributes in zip(
            events["span"], events["time"], events["name"], events["attributes"]
        ):
            self.spans[row].events.append(
                {
                    "name": self.text(name),
                    "time": int(time),
                    "attributes": self.attributes(attributes),
                }
            )

    def text(self, code):
        return self.dictionary[code]

    def attributes(self, flat):
        return {
            self.text(flat[i]): self.value(flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)
        }

    def value(self, kind, raw):
        if kind == 1:
            return self.text(raw)
        if kind == 2:
            return int(raw)
        if kind == 3:
            return float(raw)
        if kind == 6:
            return [self.value(raw[i], raw[i + 1]) for i in range(0, len(raw), 2)]
        if kind == 7:
            return self.attributes(raw)
        return raw

    def named(self, name, service=None):
        return [s for s in self.spans if s.name == name and service in (None, s.service)]

    def one(self, name, service=None):
        found = self.named(name, service)
        assert len(found) == 1, f"{len(found)} spans {name!r} of {service}: {self.spans}"
        return found[0]


def fetch(server, trace_id):
    return Trace(server.get(f"/api/v1/traces/{trace_id}", format="columns"))
