const byId = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** Who one wants to be; negotiate makes a name for a guest. */
const user = new URLSearchParams(location.search).get('user');
const connection = new signalR.HubConnectionBuilder()
  .withUrl(user === null ? '/' : `/?${new URLSearchParams({ user })}`)
  .withAutomaticReconnect()
  .configureLogging(signalR.LogLevel.Warning)
  .build();

connection.on('said', (name, text, at) => showMessage(name, text, clock.format(at)));
connection.on('joined', (name) => {
  showNote(`${name} joined`);
  void showPeople();
});
connection.on('left', (name) => {
  showNote(`${name} left`);
  void showPeople();
});
connection.onreconnecting(() => showState('Reconnecting…', false));
// A new connection: the app has put it into the room as it did the one before.
connection.onreconnected(() => void showPeople());
connection.onclose(() => showState('Disconnected: reload the page', false));

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = byId('text').value.trim();
  if (text === '') return;
  event.target.reset();
  void say(text);
});

/** Shows what one says at once, and the app's answer beside it. */
async function say(text) {
  const item = showMessage('You', text, '…');
  item.classList.add('mine');
  try {
    item.lastElementChild.textContent = `answered ${clock.format(await connection.invoke('say', text))}`;
  } catch (error) {
    item.lastElementChild.textContent = error.message;
    item.classList.add('failed');
  }
}

/** Asks who is there: an answer is right whatever came before it. */
async function showPeople() {
  try {
    const { you, people } = await connection.invoke('who');
    byId('people').replaceChildren(...people.map((name) => element('li', name)));
    showState(`Connected as ${you}`, true);
  } catch {
    // The connection went meanwhile, and its own events say so.
  }
}

function showState(text, connected) {
  byId('state').textContent = text;
  byId('send').disabled = !connected;
}

function showMessage(name, text, note) {
  const item = element('li', '');
  item.append(element('b', name), element('span', text), element('small', note));
  return append(item);
}

function showNote(text) {
  append(element('li', text)).classList.add('note');
}

function append(item) {
  byId('log').append(item);
  item.scrollIntoView({ block: 'nearest' });
  return item;
}

/** A new element. Its text is set as text, so nothing that anybody wrote becomes markup. */
function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

try {
  await connection.start();
  await showPeople();
} catch {
  showState('No connection: reload the page', false);
}
