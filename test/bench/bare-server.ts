/**
 * What the edge is compared with: uWebSockets.js and nothing else, answering the hub handshake and
 * then echoing each message, or with `--publish` publishing one to all for each message.
 */
import { App, us_socket_local_port } from 'uWebSockets.js';

const HANDSHAKE_BYTES = 32;
const PING_BYTES = 11;
const publishes = process.argv.includes('--publish');
const TOPIC = 'all';
const TICK = '{"type":1,"target":"tick","arguments":["thirty-two bytes of chat message"]}\u001e';

const app = App();
app.ws('/client/', {
  idleTimeout: 0,
  sendPingsAutomatically: false,
  maxPayloadLength: 64 * 1024,
  open: (socket) => {
    if (publishes) socket.subscribe(TOPIC);
  },
  message: (socket, message, isBinary) => {
    if (message.byteLength === HANDSHAKE_BYTES) socket.send('{}\u001e');
    else if (message.byteLength === PING_BYTES) return;
    else if (publishes) app.publish(TOPIC, TICK);
    else socket.send(message, isBinary);
  },
});
app.listen('127.0.0.1', 0, (listener) => {
  if (listener === false) throw new Error('no port is free');
  console.log(`listening on http://127.0.0.1:${us_socket_local_port(listener)}`);
});
