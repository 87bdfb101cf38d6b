// Nothing is stored yet: how to send a first trace. The page looks every two seconds and gives way when spans arrive.
import { useQuery } from '@tanstack/react-query';
import { statusQuery } from '../../client/queries';
import { CopyButton } from '../../widgets/CopyButton';

export function FirstRun() {
  useQuery({ ...statusQuery, refetchInterval: 2000 });
  const host = location.hostname;
  const python = `pip install opentelemetry-distro opentelemetry-exporter-otlp
opentelemetry-bootstrap -a install

export OTEL_SERVICE_NAME=my-service
export OTEL_TRACES_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4318
opentelemetry-instrument python app.py`;
  const collector = `exporters:
  otlp/weft:
    endpoint: ${host}:4317
    tls: { insecure: true }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp/weft] }`;
  return (
    <div className="first-run">
      <title>Welcome · weft</title>
      <h1>No traces yet. Send the first one.</h1>
      <p className="muted">
        weft listens for OpenTelemetry (OTLP) on two ports. Anything that speaks it can send here, unchanged.
      </p>
      <dl className="endpoints">
        <div>
          <dt>OTLP over gRPC</dt>
          <dd>
            <code>{host}:4317</code>
          </dd>
        </div>
        <div>
          <dt>OTLP over HTTP</dt>
          <dd>
            <code>http://{host}:4318/v1/traces</code>
          </dd>
        </div>
      </dl>
      <Snippet title="A Python service, without touching its code" text={python} />
      <Snippet title="An OpenTelemetry Collector that you already run" text={collector} />
      <Snippet
        title="Nothing at hand? A shop of 15 services, made up"
        text={`weft demo --otlp http://${host}:4318`}
      />
      <p className="waiting" role="status">
        <span className="pulse" /> Waiting for the first span. This page changes by itself.
      </p>
      <p className="faint">
        These are the default ports; <code>server.json</code> in the data folder names those in use.
      </p>
    </div>
  );
}

function Snippet({ title, text }: { title: string; text: string }) {
  return (
    <section className="snippet">
      <header>
        <h2>{title}</h2>
        <CopyButton text={text} label="Copy" />
      </header>
      <pre tabIndex={0}>{text}</pre>
    </section>
  );
}
