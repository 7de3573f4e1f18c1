import { test } from 'vitest';
import { until } from './fake-service.test-support.ts';
import { serve } from './harness.test-support.ts';
import { Hub } from './hubs/hub.ts';
class Chat extends Hub {}
test('x', async () => {
  for (const count of [1, 3]) {
    const { server, service } = await serve(Chat, { server: { connectionCount: count } });
    await until(() => service.live.length === count, 'all');
    const t = performance.now();
    const iv = setInterval(() => console.log(count, Math.round(performance.now() - t), service.connections.map(c => [c.ready, c.closeCode, c.ofType(3).length].join())), 1000);
    await server.stop();
    clearInterval(iv);
    console.log(count, performance.now() - t);
  }
});
