// Spans of the mock server before they are encoded, and a builder that keeps their times consistent.

export interface MockSpan {
  spanId: string;
  parentId: string;
  name: string;
  kind: number;
  status: number;
  statusMessage: string;
  service: string;
  start: bigint;
  duration: bigint;
  attributes: Attrs;
  events: { time: bigint; name: string; attributes: Attrs }[];
  links: { traceId: string; spanId: string; attributes: Attrs }[];
  traceState: string;
  flags: number;
}

export type Attrs = Record<string, unknown>;

export interface MockTrace {
  traceId: string;
  spans: MockSpan[];
}

/** A small seeded generator (mulberry32): the same traces on every start. */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const ms = (value: number): bigint => BigInt(Math.max(0, Math.round(value * 1e6)));

export class Builder {
  readonly spans: MockSpan[] = [];
  constructor(
    readonly traceId: string,
    private readonly random: () => number,
  ) {}

  hex(digits: number): string {
    let out = '';
    while (out.length < digits) out += Math.floor(this.random() * 16).toString(16);
    return out;
  }

  add(
    parent: MockSpan | undefined,
    service: string,
    name: string,
    kind: number,
    start: bigint,
    duration: bigint,
    attributes: Attrs = {},
  ): MockSpan {
    const span: MockSpan = {
      spanId: this.hex(16),
      parentId: parent?.spanId ?? '',
      name,
      kind,
      status: 0,
      statusMessage: '',
      service,
      start,
      duration,
      attributes,
      events: [],
      links: [],
      traceState: '',
      flags: 257,
    };
    this.spans.push(span);
    return span;
  }

  fail(span: MockSpan, type: string, message: string, stack: string): void {
    span.status = 2;
    span.statusMessage = message;
    span.events.push({
      time: span.start + (span.duration * 9n) / 10n,
      name: 'exception',
      attributes: {
        'exception.type': type,
        'exception.message': message,
        'exception.stacktrace': stack,
        'exception.escaped': false,
      },
    });
  }

  /** Makes every span that waits for its children end after them. */
  nest(): void {
    const byId = new Map(this.spans.map((s) => [s.spanId, s]));
    for (const span of [...this.spans].reverse()) {
      const parent = byId.get(span.parentId);
      if (!parent || span.kind === 5) continue;
      const end = span.start + span.duration + 120_000n;
      if (end > parent.start + parent.duration) parent.duration = end - parent.start;
    }
  }

  done(): MockTrace {
    return { traceId: this.traceId, spans: this.spans };
  }
}

export const STACK = `Traceback (most recent call last):
  File "/srv/payment/app.py", line 88, in charge
    receipt = stripe.charge(card, amount)
  File "/srv/payment/stripe_client.py", line 41, in charge
    response.raise_for_status()
  File "/usr/lib/python3/dist-packages/requests/models.py", line 1021, in raise_for_status
    raise HTTPError(http_error_msg, response=self)
requests.exceptions.HTTPError: 402 Client Error: Payment Required

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/flask/app.py", line 1484, in full_dispatch_request
    rv = self.dispatch_request()
  File "/srv/payment/app.py", line 91, in charge
    raise CardError("card_declined", card.last4) from error
payment.errors.CardError: card_declined: the card ending in 4242 has insufficient funds
`;
