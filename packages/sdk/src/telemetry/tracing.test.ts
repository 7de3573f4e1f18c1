import { context, propagation, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { MessageType } from '@trunkline/protocol';
import { afterEach, describe, expect, test } from 'vitest';

import { HubError } from '../errors.ts';
import { until } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${PARENT}-01`;

class Chat extends Hub {
  async tell(): Promise<string> {
    await new Promise(setImmediate);
    await this.clients.all.send('told');
    return trace.getActiveSpan()?.spanContext().traceId ?? 'none';
  }
  fail(): void {
    throw new HubError('no');
  }
  async *count(): AsyncGenerator<string> {
    await new Promise(setImmediate);
    yield trace.getActiveSpan()?.spanContext().traceId ?? 'none';
    await this.clients.caller.send('told');
  }
}

/** What an app does that wants traces; ends with the test. */
function register(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  return exporter;
}

afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

const call = (target: string, more: object = {}) => ({
  type: 1,
  invocationId: '1',
  target,
  arguments: [],
  ...more,
});

function span(exporter: InMemorySpanExporter): Promise<ReadableSpan> {
  return until(() => exporter.getFinishedSpans()[0], 'a span');
}

function headersOf(payload: Uint8Array | undefined): Record<string, string> | undefined {
  const text = Buffer.from(payload!).toString().slice(0, -1);
  return (JSON.parse(text) as { headers?: Record<string, string> }).headers;
}

test('nothing is traced, and nothing told, until a provider is registered', async () => {
  const { trunk } = await serve(Chat);
  const client = trunk.open();
  client.json(call('tell', { headers: { traceparent } }));
  expect(await client.text(1)).toContain('"result":"none"');
  const { payloads } = await trunk.next(MessageType.BroadcastData);
  expect(headersOf(payloads.get('json'))).toBeUndefined();
});

describe('with a provider', () => {
  test("a call goes on with the client's trace, and tells it to whom it sends", async () => {
    const exporter = register();
    const { trunk } = await serve(Chat);
    const client = trunk.open();
    client.json(call('TELL', { headers: { traceparent, tracestate: 'a=b' } }));
    expect(await client.text(1)).toContain(`"result":"${TRACE}"`);
    const done = await span(exporter);
    expect(done.name).toBe('chat/tell');
    expect(done.parentSpanContext).toMatchObject({ spanId: PARENT, isRemote: true });
    expect(done.attributes).toEqual({
      'rpc.system': 'signalr',
      'rpc.service': 'chat',
      'rpc.method': 'tell',
    });
    const { payloads } = await trunk.next(MessageType.BroadcastData);
    const told = { traceparent: `00-${TRACE}-${done.spanContext().spanId}-01`, tracestate: 'a=b' };
    expect(headersOf(payloads.get('json'))).toEqual(told);
    expect(Buffer.from(payloads.get('messagepack')!).toString('latin1')).toContain(
      told.traceparent,
    );
  });

  test('MessagePack carries it as well', async () => {
    const exporter = register();
    const { trunk } = await serve(Chat);
    const client = trunk.open({ protocol: 'messagepack' });
    client.write(client.protocol.invocation('tell', [], '1', { traceparent }));
    expect((await span(exporter)).parentSpanContext?.spanId).toBe(PARENT);
  });

  test('a call without a trace, or with junk for one, starts its own', async () => {
    const exporter = register();
    const { trunk } = await serve(Chat);
    const client = trunk.open();
    for (const headers of [undefined, null, 'x', { traceparent: 7 }, { traceparent: 'x' }]) {
      client.json(call('tell', { headers }));
      const done = await span(exporter);
      expect(done.parentSpanContext).toBeUndefined();
      exporter.reset();
    }
  });

  test('an error is on its span', async () => {
    const exporter = register();
    const { trunk } = await serve(Chat);
    trunk.open().json(call('fail'));
    const done = await span(exporter);
    expect(done.status).toEqual({ code: 2, message: 'no' });
    expect(done.attributes['error.type']).toBe('HubError');
  });

  test('a stream belongs to its span until it ends', async () => {
    const exporter = register();
    const { trunk } = await serve(Chat);
    const client = trunk.open();
    client.json({ ...call('count', { headers: { traceparent } }), type: 4 });
    expect(await client.text(1)).toContain(TRACE);
    const done = await span(exporter);
    const { payloads } = await trunk.next(MessageType.MultiConnectionData);
    expect(headersOf(payloads.get('json'))?.['traceparent']).toBe(
      `00-${TRACE}-${done.spanContext().spanId}-01`,
    );
  });

  test('what is sent outside of a hub tells the span that is active there', async () => {
    register();
    const { trunk, hub } = await serve(Chat);
    const tracer = trace.getTracer('app');
    const { traceId } = await tracer.startActiveSpan('job', async (job) => {
      await hub.clients.all.send('m');
      return job.spanContext();
    });
    await hub.clients.all.send('m');
    const { payloads } = await trunk.next(MessageType.BroadcastData);
    expect(headersOf(payloads.get('json'))?.['traceparent']).toContain(traceId);
    const outside = await trunk.next(MessageType.BroadcastData, 1);
    expect(headersOf(outside.payloads.get('json'))).toBeUndefined();
  });
});
