import type { Context, Span, TextMapGetter, Tracer } from '@opentelemetry/api';
import {
  context,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

import { errorMessage } from '../errors.ts';
import { VERSION } from '../version.ts';

const SCOPE = '@trunkline/sdk';

/** The headers of a hub message: W3C trace context and whatever else the propagator reads. */
export type MessageHeaders = Readonly<Record<string, string>>;

const getter: TextMapGetter<unknown> = {
  keys: (headers) => (isObject(headers) ? Object.keys(headers) : []),
  get: (headers, key) => {
    const value = isObject(headers) && Object.hasOwn(headers, key) ? headers[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  },
};

/** The span of one call of a hub method. */
export class CallTrace {
  readonly #span: Span;
  readonly #context: Context;

  /** `headers` are those of the client's message, unchecked. */
  constructor(tracer: Tracer, hub: string, method: string, headers: unknown) {
    const parent = propagation.extract(ROOT_CONTEXT, headers, getter);
    const attributes = { 'rpc.system': 'signalr', 'rpc.service': hub, 'rpc.method': method };
    const options = { kind: SpanKind.SERVER, attributes };
    this.#span = tracer.startSpan(`${hub}/${method}`, options, parent);
    this.#context = trace.setSpan(parent, this.#span);
  }

  /** Whatever `work` sets off belongs to the span. */
  run(work: () => void): void {
    context.with(this.#context, work);
  }

  failed(error: unknown): void {
    const name = error instanceof Error ? error.name : typeof error;
    this.#span.setAttribute('error.type', name);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: errorMessage(error) });
  }

  end(): void {
    this.#span.end();
  }
}

/**
 * A trace of a call, named as in .NET 9, where the app has registered a tracer provider; undefined
 * where it has not, at the cost of two look-ups.
 */
export function traceCall(hub: string, method: string, headers: unknown): CallTrace | undefined {
  const tracer = registeredTracer();
  return tracer && new CallTrace(tracer, hub, method, headers);
}

/** The trace context for a message to clients; undefined where there is none to tell. */
export function outgoingHeaders(): MessageHeaders | undefined {
  if (trace.getActiveSpan() === undefined) return undefined;
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return Object.keys(headers).length === 0 ? undefined : headers;
}

/** Until an app registers a provider, the API's own stands in for it, with no delegate. */
function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer(SCOPE, VERSION)
    : provider.getTracer(SCOPE, VERSION);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
