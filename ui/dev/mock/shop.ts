// A shop of 15 services, as the mock server tells it: checkouts, browsing with an N+1 query, log-ins, a nightly job.
import { Builder, ms, seeded, STACK, type MockSpan, type MockTrace } from './spans';

const INTERNAL = 1,
  SERVER = 2,
  CLIENT = 3,
  PRODUCER = 4,
  CONSUMER = 5;

class Shop {
  constructor(
    readonly b: Builder,
    readonly random: () => number,
    readonly slow: number,
  ) {}

  jitter(mean: number): number {
    return mean * (0.6 + this.random() * 0.9) * (this.random() < 0.05 ? 3 : 1);
  }

  /** A client span and the server span it causes; `inside` fills the server span. */
  call(
    from: MockSpan,
    at: bigint,
    service: string,
    route: string,
    length: number,
    inside?: (server: MockSpan) => void,
  ): bigint {
    const duration = ms(length);
    const method = route.split(' ')[0];
    const client = this.b.add(from, from.service, `${method} ${service}`, CLIENT, at, duration, {
      'http.request.method': method,
      'server.address': `${service}.shop.internal`,
      'url.full': `http://${service}.shop.internal:8080${route.split(' ')[1]}`,
      'http.response.status_code': 200,
    });
    const net = duration / 40n + 150_000n;
    const server = this.b.add(
      client,
      service,
      route,
      SERVER,
      at + net,
      duration - 2n * net > 0n ? duration - 2n * net : 1000n,
      {
        'http.request.method': method,
        'http.route': route.split(' ')[1],
        'http.response.status_code': 200,
        'network.peer.address': `10.4.${Math.floor(this.random() * 8)}.${Math.floor(this.random() * 250)}`,
        'user_agent.original': 'shop-http/2.11',
      },
    );
    inside?.(server);
    return at + duration;
  }

  sql(from: MockSpan, at: bigint, text: string, length: number): bigint {
    const table = /(?:FROM|INTO|UPDATE) (\w+)/.exec(text)?.[1] ?? 'orders';
    const span = this.b.add(from, from.service, `${text.split(' ')[0]} ${table}`, CLIENT, at, ms(length), {
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'db.query.text': text,
      'db.response.returned_rows': Math.floor(this.random() * 30),
      'server.address': 'pg-1.shop.internal',
      'server.port': 5432,
    });
    return span.start + span.duration;
  }

  cache(from: MockSpan, at: bigint, key: string, hit: boolean): bigint {
    const span = this.b.add(from, from.service, 'GET', CLIENT, at, ms(this.jitter(0.7)), {
      'db.system.name': 'redis',
      'db.query.text': `GET ${key}`,
      'cache.hit': hit,
    });
    if (!hit)
      span.events.push({ time: span.start + span.duration / 2n, name: 'cache_miss', attributes: { key } });
    return span.start + span.duration;
  }
}

const gap = (n: number) => BigInt(Math.round(n * 1000)); // microseconds

function checkout(shop: Shop, start: bigint, failing: boolean): void {
  const { b } = shop;
  const stripe = shop.jitter(140) * shop.slow;
  const total = stripe + shop.jitter(120) + 90;
  const page = b.add(undefined, 'web-frontend', 'click checkout', CLIENT, start, ms(total + 12), {
    'browser.platform': 'Linux',
    'url.full': 'https://shop.example/checkout',
    'session.id': b.hex(12),
  });
  let charge: MockSpan | undefined;
  shop.call(page, start + gap(900), 'gateway', 'POST /api/checkout', total + 6, (gateway) => {
    gateway.attributes['enduser.id'] = `u-${Math.floor(shop.random() * 9000)}`;
    const auth = shop.call(
      gateway,
      gateway.start + gap(300),
      'auth',
      'POST /verify',
      shop.jitter(6),
      (s) => void shop.cache(s, s.start + gap(200), 'session:9f1', true),
    );
    shop.call(gateway, auth + gap(250), 'checkout', 'POST /checkout', total - 14, (order) => {
      let at = order.start + gap(400);
      at =
        shop.call(
          order,
          at,
          'cart',
          'GET /cart/{id}',
          shop.jitter(9),
          (s) => void shop.cache(s, s.start + gap(300), 'cart:77', shop.random() < 0.6),
        ) + gap(100);
      shop.call(order, at, 'currency', 'GET /convert', shop.jitter(5));
      const reserve = shop.call(order, at + gap(40), 'inventory', 'POST /reserve', shop.jitter(28), (s) => {
        const check = b.add(
          s,
          'inventory',
          'validate_inventory',
          INTERNAL,
          s.start + gap(500),
          s.duration / 2n,
          { 'items.count': 3 },
        );
        shop.sql(check, check.start + gap(300), 'SELECT sku, on_hand FROM stock WHERE sku = ANY($1)', 4);
        shop.sql(
          s,
          check.start + check.duration + gap(100),
          'UPDATE stock SET reserved = reserved + $1 WHERE sku = $2',
          3.1,
        );
        if (failing)
          check.events.push({
            time: check.start + check.duration / 2n,
            name: 'inventory_check_failed',
            attributes: { sku: 'KB-104', wanted: 2, left: 1 },
          });
      });
      const paid = shop.call(order, reserve + gap(500), 'payment', 'POST /charge', stripe + 16, (s) => {
        charge = s;
        shop.sql(s, s.start + gap(400), 'SELECT id, email FROM users WHERE id = $1', shop.jitter(2));
        const call = b.add(s, 'payment', 'call_stripe_api', CLIENT, s.start + ms(5), ms(stripe), {
          'server.address': 'api.stripe.example',
          'http.request.method': 'POST',
          'payment.amount': 104.5,
          'payment.currency': 'EUR',
          'payment.attempt': 1,
        });
        call.events.push({
          time: call.start + gap(800),
          name: 'dns.resolved',
          attributes: { ips: ['203.0.113.7', '203.0.113.9'] },
        });
        if (failing)
          b.fail(
            call,
            'payment.errors.CardError',
            'card_declined: the card ending in 4242 has insufficient funds',
            STACK,
          );
        else
          s.events.push({
            time: call.start + call.duration + gap(200),
            name: 'payment_processed',
            attributes: { amount: 104.5 },
          });
      });
      if (!failing) {
        const saved = shop.sql(
          order,
          paid + gap(300),
          'INSERT INTO orders (user_id, total) VALUES ($1, $2) RETURNING id',
          shop.jitter(5),
        );
        const send = b.add(order, 'checkout', 'orders publish', PRODUCER, saved + gap(50), ms(1.2), {
          'messaging.system': 'kafka',
          'messaging.destination.name': 'orders',
        });
        const take = b.add(
          send,
          'shipping',
          'orders process',
          CONSUMER,
          send.start + ms(shop.jitter(30)),
          ms(shop.jitter(60)),
          {
            'messaging.system': 'kafka',
            'messaging.kafka.offset': 88123,
            'messaging.consumer.group.name': 'shipping',
          },
        );
        shop.call(take, take.start + gap(300), 'email', 'POST /send', shop.jitter(22));
      }
    });
  });
  if (failing && charge) {
    for (const span of b.spans) {
      if (span.duration >= charge.duration && span.service !== 'web-frontend') {
        span.status = 2;
        if (span.kind !== INTERNAL)
          span.attributes['http.response.status_code'] = span.service === 'gateway' ? 502 : 402;
      }
    }
  }
}

function browse(shop: Shop, start: bigint): void {
  const { b } = shop;
  const many = shop.random() < 0.25;
  const reviews = many ? 24 + Math.floor(shop.random() * 30) : 1;
  const total = 30 + reviews * 2.4 + shop.jitter(40);
  const root = b.add(undefined, 'gateway', 'GET /api/products/{id}', SERVER, start, ms(total), {
    'http.route': '/api/products/{id}',
    'http.request.method': 'GET',
    'http.response.status_code': 200,
  });
  const catalog = shop.call(root, start + gap(400), 'catalog', 'GET /products/{id}', total * 0.8, (s) => {
    let at = shop.cache(s, s.start + gap(200), 'product:104', !many);
    for (let i = 0; i < reviews; i++)
      at = shop.sql(s, at + gap(80), 'SELECT * FROM reviews WHERE product_id = $1', 1.6 + shop.random());
  });
  shop.call(
    root,
    start + gap(600),
    'recommend',
    'GET /similar',
    total * 0.5,
    (s) => void shop.call(s, s.start + gap(400), 'feature-store', 'POST /vectors', total * 0.3),
  );
  shop.call(root, start + gap(700), 'ads', 'GET /ads', total * 0.2);
  b.add(root, 'gateway', 'render', INTERNAL, catalog + gap(100), ms(total * 0.1));
}

function login(shop: Shop, start: bigint): void {
  const { b } = shop;
  const bad = shop.random() < 0.12;
  const root = b.add(undefined, 'gateway', 'POST /api/login', SERVER, start, ms(shop.jitter(90)), {
    'http.route': '/api/login',
    'http.response.status_code': bad ? 401 : 200,
  });
  shop.call(root, start + gap(300), 'auth', 'POST /login', Number(root.duration) / 1e6 - 2, (s) => {
    shop.sql(s, s.start + gap(300), 'SELECT id, password FROM users WHERE email = $1', 2.4);
    const hash = b.add(s, 'auth', 'bcrypt.verify', INTERNAL, s.start + ms(4), (s.duration * 8n) / 10n, {
      'bcrypt.cost': 11,
    });
    if (bad) b.fail(hash, 'auth.InvalidPassword', 'password does not match', '');
  });
}

function nightly(shop: Shop, start: bigint): void {
  const root = shop.b.add(undefined, 'billing', 'reconcile', INTERNAL, start, ms(shop.jitter(4200)), {
    'job.name': 'reconcile',
    'job.batch': 500,
  });
  let at = start + ms(20);
  for (let i = 0; i < 12; i++)
    at = shop.call(
      root,
      at + ms(30),
      'ledger',
      'POST /entries',
      shop.jitter(190),
      (s) =>
        void shop.sql(
          s,
          s.start + ms(2),
          'INSERT INTO entries SELECT * FROM staging',
          Number(s.duration) / 1.3e6,
        ),
    );
}

export const CHECKOUT_ID = '5c0ffee0000000000000000000000001';
export const FAILED_ID = '5c0ffee0000000000000000000000e44';

/** `count` traces spread over the two hours before `now`, newest last. */
export function shopTraces(count: number, now: bigint): MockTrace[] {
  const random = seeded(20261121);
  const out: MockTrace[] = [];
  for (let i = 0; i < count; i++) {
    const age = ((count - i) / count) ** 2 * 7200e9;
    const start = now - BigInt(Math.round(age)) - 5_000_000_000n;
    const fixed = i === count - 3 ? CHECKOUT_ID : i === count - 6 ? FAILED_ID : undefined;
    const b = new Builder(fixed ?? '', random);
    const builder = fixed ? b : new Builder(b.hex(32), random);
    const shop = new Shop(builder, random, i > count * 0.8 && random() < 0.3 ? 5 : 1);
    const pick = random();
    if (fixed || pick < 0.35) checkout(shop, start, fixed === FAILED_ID || (!fixed && random() < 0.06));
    else if (pick < 0.75) browse(shop, start);
    else if (pick < 0.97) login(shop, start);
    else nightly(shop, start);
    builder.nest();
    out.push(builder.done());
  }
  return out;
}
