/** The load generator's process: `node generator.js <url>`, told what to do over IPC. */
import { arrivals } from './arrivals.ts';
import { broadcasts } from './broadcast.ts';
import type { Reply, Request } from './commands.ts';
import { echoFlatOut, echoPaced } from './echo.ts';
import { hear } from './hear.ts';
import { storm } from './storm.ts';
import { Swarm } from './swarm.ts';

const url = process.argv[2]!;
const swarm = new Swarm(url);

async function execute(request: Request): Promise<unknown> {
  switch (request.command) {
    case 'connect':
      return swarm.connect(request.options);
    case 'echoFlatOut':
      return echoFlatOut(swarm, request.options);
    case 'echoPaced':
      return echoPaced(swarm, request.options);
    case 'broadcasts':
      return broadcasts(swarm, request.options);
    case 'hear':
      return hear(swarm, request.options);
    case 'noteArrivals':
      return swarm.noteArrivals();
    case 'arrivals':
      return arrivals(swarm, request.options);
    case 'storm':
      return storm(url, request.options);
    case 'close':
      return swarm.close();
  }
}

process.on('message', (request: Request) => {
  const reply = (message: Reply): void => void process.send!(message);
  execute(request).then(
    (answer) => reply({ answer }),
    (error: Error) => reply({ error: error.message }),
  );
});
function end(): void {
  // Connections that end with the process would hold on to their ports for a minute.
  swarm.reset();
  process.exit();
}
process.on('SIGTERM', end);
process.on('disconnect', end);
console.log('load generator ready');
