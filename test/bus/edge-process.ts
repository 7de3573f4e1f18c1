/**
 * A process that is an edge on a bus and does nothing else: `edge-process.ts <bus> <id> <subject>`.
 * It says `up`, `down`, `gap <cause>` and, for each message, `<subject> <text>`; told anything over
 * IPC it leaves the bus, after which nothing keeps it running.
 */
import { EngineMember } from './member.ts';

const [bus = '', edgeId = '', subject = ''] = process.argv.slice(2);
const member = await EngineMember.join(edgeId, { bus });
member.bus.subscribe(subject);
console.log('joining');
let said = 0;
const timer = setInterval(() => {
  for (const one of member.heard.slice(said)) {
    if (typeof one === 'string') console.log(one);
    else if ('gap' in one) console.log(`gap ${one.gap}`);
    else if ('text' in one && !one.text.startsWith('flood'))
      console.log(`${one.subject} ${one.text}`);
  }
  said = member.heard.length;
}, 20);
process.once('message', () => {
  clearInterval(timer);
  void member.bus.close().then(() => process.disconnect());
});
