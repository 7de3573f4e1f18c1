/** The values a label can have: a closed list; one given with the sources; or whatever appears. */
export type LabelValues = readonly string[] | 'given' | 'open';

/** What there is to know of one metric: what a scrape says, and what the reference page says. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One line, in the scrape. */
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds, ascending, without +Inf; of histograms only. */
  readonly buckets?: readonly number[];
  /** What it counts exactly, for the reference page. */
  readonly meaning: string;
  /** What to do when it rises, for the reference page. */
  readonly whenItRises: string;
}

const DIRECTIONS = ['from_client', 'to_client', 'from_server', 'to_server'] as const;
const TRANSPORTS = ['webSockets', 'serverSentEvents', 'longPolling'] as const;
const SIDES = ['client', 'server'] as const;
const UPSTREAM_CATEGORIES = ['connections', 'messages'] as const;
const BUS_DIRECTIONS = ['published', 'received'] as const;
const POOLS = [
  'newcomers',
  'negotiates',
  'early_posts',
  'posts',
  'posts_of_user',
  'post_bytes',
  'rest_posts',
  'rest_post_bytes',
  'client_results',
  'client_results_of_client',
  'early_questions',
  'questions',
  'relays',
  'user_group_rules',
  'waiting_clients',
  'opening_clients',
  'moving_clients',
  'remote_clients',
  'unfinished_from_clients',
  'unfinished_to_clients',
  'unfinished_from_servers',
  'upstream_events',
  'upstream_answers',
  'backlog_from_clients',
  'backlog_from_servers',
] as const;

/** Seconds, for work inside one process: 10 microseconds to a second. */
const SHORT_DURATIONS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
  0.25, 0.5, 1,
] as const;

/** Every metric of the edge. No label ever names a connection, a user or a group. */
export const METRICS = {
  trunkline_client_connections: {
    type: 'gauge',
    help: 'Open client connections.',
    labels: { hub: 'open', transport: TRANSPORTS },
    meaning: 'Client connections open on this edge now, from accepted to closed.',
    whenItRises:
      'Expected with more users. Compare with memory and open files, and add an edge before either runs out. A share that moves from webSockets to longPolling points at a proxy in front that blocks upgrades.',
  },
  trunkline_server_connections: {
    type: 'gauge',
    help: 'Open server connections.',
    labels: { hub: 'open' },
    meaning:
      'Server connections that app servers hold to this edge now. An app server opens several for each hub.',
    whenItRises:
      'More app servers have joined, or clients made them ask for more connections. When it falls to 0 at every edge, new clients of a hub without an upstream wait and are then refused: look at the app servers and the way to them.',
  },
  trunkline_clients_waiting: {
    type: 'gauge',
    help: 'Clients that wait for a server connection.',
    labels: {},
    meaning:
      'Clients that no app server has: new ones whose handshake request has been read, and those that are moved. Each waits for --server-wait, and is then refused or closed.',
    whenItRises:
      'Their hub has no app server, at this edge or another, that takes more clients: start one, or repair the way to it.',
  },
  trunkline_draining: {
    type: 'gauge',
    help: 'Whether the edge drains: 1 or 0.',
    labels: {},
    meaning:
      '1 from SIGTERM or POST /admin/drain on: the edge takes no new clients and sends away those it has, counted in trunkline_client_closes_total as Draining.',
    whenItRises:
      'Somebody takes the edge away. When it stays at 1 although the edge is to go on, DELETE /admin/drain ends it.',
  },
  trunkline_client_opens_total: {
    type: 'counter',
    help: 'Client connections opened.',
    labels: { transport: TRANSPORTS },
    meaning: 'Client connections accepted since the start.',
    whenItRises:
      'Its rate is connects per second. A burst after an outage is a reconnect storm; a high steady rate with a flat number of connections means that clients come and go: see the close reasons.',
  },
  trunkline_client_closes_total: {
    type: 'counter',
    help: 'Client connections closed, by reason.',
    labels: { reason: 'given' },
    meaning: 'Client connections closed since the start, each with exactly one close reason.',
    whenItRises: 'The page of close reasons says for each who was at fault and what to do.',
  },
  trunkline_server_closes_total: {
    type: 'counter',
    help: 'Server connections closed, by reason.',
    labels: { reason: 'given' },
    meaning: 'Server connections closed since the start, each with exactly one close reason.',
    whenItRises:
      'App servers that restart explain it. Otherwise look at their logs and at the network between them and the edge: each loss moves or closes the clients it carried.',
  },
  trunkline_connect_duration_seconds: {
    type: 'histogram',
    help: 'Seconds from accepting a client to its handshake response.',
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    meaning:
      'Time from a client being accepted (the upgrade, or the first request of a transport without one) to the handshake response being handed to its socket. It holds two journeys to the app server and the wait for a server connection.',
    whenItRises:
      'Slow handshakes at the app server, clients that wait for a server connection, or a busy event loop: see those metrics.',
  },
  trunkline_open_sockets: {
    type: 'gauge',
    help: 'Sockets open on the public port.',
    labels: {},
    meaning:
      'Sockets of clients, app servers and whoever else comes to the public port, those between two requests included.',
    whenItRises:
      'Expected with clients. Far more sockets than connections means requests without WebSockets, or peers that connect and say nothing.',
  },
  trunkline_open_sockets_limit: {
    type: 'gauge',
    help: 'Sockets on the public port beyond which clients are refused.',
    labels: {},
    meaning:
      'What the limit of open files (ulimit -n) leaves for the public port when the edge has kept its own share.',
    whenItRises:
      'It does not change while the edge runs. Raise the limit of open files, or add an edge, before trunkline_open_sockets comes near it.',
  },
  trunkline_refusals_total: {
    type: 'counter',
    help: 'Client requests refused, by reason.',
    labels: {
      reason: [
        'connections',
        'open_files',
        'hubs',
        'request_bytes',
        'introduction_bytes',
        'origin',
        'draining',
      ],
    },
    meaning:
      'connections: the edge holds as many clients as --max-connections allows (503). open_files: sockets are near the limit of open files (503, or closed before a request). hubs: more hubs than --max-hubs allows, or half as many named by clients alone (503). request_bytes: a post over --max-batch-bytes (413). introduction_bytes: token, headers and query of a connect together over 16 KB (431). origin: a page of an origin that is not allowed (403). draining: the edge is about to stop (503). An event stream is answered 404 in place of 503.',
    whenItRises:
      'connections, open_files: add an edge, or raise the limit. hubs: somebody with a token service names hubs that do not exist, or --max-hubs is too low. draining: the load balancer does not know yet that the edge is not ready, or has no other. The others are clients that ask for too much: look at what they send.',
  },
  trunkline_stray_messages_total: {
    type: 'counter',
    help: 'Messages that no client sends.',
    labels: {},
    meaning:
      'Acks and sequence messages of clients with which no stateful reconnection was agreed on, and completions without an id. They go no further than the edge; a client with more than 250 in ten seconds is closed with the reason Flood.',
    whenItRises: 'A client with a fault of its own, or one that means harm.',
  },
  trunkline_pool_used: {
    type: 'gauge',
    help: 'What peers hold of what they share, by pool.',
    labels: { pool: POOLS },
    meaning:
      'What is held now of each pool that many peers draw on, in bytes or whatever the pool counts; the bounds table of ARCHITECTURE.md says what each pool is for. Of posts: those that have not been answered, because their body is still coming in or their server connection is full.',
    whenItRises:
      'Compare it with trunkline_pool_limit. Near it, trunkline_pool_refusals_total says whether one peer takes it all or everybody takes a little. opening_clients, moving_clients: app servers are slow to answer handshakes, or to take over clients. remote_clients: the bus, or another edge, is slow. posts: app servers that are slow to read (see trunkline_outbound_queue_bytes), or clients that are slow to send.',
  },
  trunkline_pool_limit: {
    type: 'gauge',
    help: 'What peers may hold together, by pool.',
    labels: { pool: POOLS },
    meaning: 'The most that all peers together may hold of a pool.',
    whenItRises: 'It does not change while the edge runs.',
  },
  trunkline_pool_refusals_total: {
    type: 'counter',
    help: 'Requests refused, and owners made to give back, by pool.',
    labels: { pool: POOLS, kind: ['share', 'total', 'evicted'] },
    meaning:
      'share: one owner (a user, a token, a connection, a hub, an address) asked for more than its share of the pool, and was refused. total: the pool was used up, and who asked was among its largest owners, and was refused. evicted: the pool was used up, and its largest owner was made to give back what it held, for others.',
    whenItRises:
      'share, evicted: one peer takes far more than others; the log of refused clients names the hub. Nobody else is hurt. total: the load is spread over many owners: add an edge, or raise the limit where there is a setting for it.',
  },
  trunkline_migrations_total: {
    type: 'counter',
    help: 'Clients moved to other app servers, or not, by outcome.',
    labels: {
      outcome: [
        'moved',
        'moved_after_loss',
        'rebalanced',
        'not_allowed',
        'no_server',
        'not_possible',
      ],
    },
    meaning:
      'moved: to another app server, before theirs stopped, when their calls were answered or after 20 s, with an error for those that were not. moved_after_loss: after their server connection was lost; calls that ran were answered with an error. rebalanced: to an app server that had fewer clients (--rebalance). not_allowed: the app, --migration or the token of the client does not let it be moved. no_server: no other app server came within --server-wait. not_possible: the client had ended, or had more calls open than the edge keeps track of. The last three were closed, to reconnect.',
    whenItRises:
      'moved: a deployment; so is not_allowed, of an app whose clients reconnect, or its app servers crash. moved_after_loss: app servers crash or lose their network, see trunkline_server_closes_total. rebalanced: an app server has come back, or a new one. no_server: run a second app server, or start the new one before the old one ends.',
  },
  trunkline_failed_calls_total: {
    type: 'counter',
    help: 'Calls answered with an error because their app server was lost.',
    labels: {},
    meaning:
      'Invocations and streams that were open at an app server when it was lost, or outlasted its departure. The edge answers them in its place, so that no client waits for ever.',
    whenItRises: 'App servers crash while they work: look at their logs.',
  },
  trunkline_negotiates_total: {
    type: 'counter',
    help: 'Negotiate requests answered, by result.',
    labels: { result: ['ok', 'redirected', 'unauthorized', 'bad_request', 'unavailable'] },
    meaning:
      'Answers to POST /client/negotiate. ok: 200. redirected: 200 with the URL of another edge, where edges have URLs of their own. unauthorized: 401 for a refused token. bad_request: 400, 403 for the page of an origin that is not allowed, or an error for a negotiate version that is none. unavailable: 503 for want of room, or because the edge drains.',
    whenItRises:
      'ok rises with connects. redirected: this edge drains, has no app server of the hub, or has far more clients than another one. unauthorized: see the token rejections. bad_request: a client or a proxy sends something else than a SignalR client does. unavailable: see trunkline_refusals_total and trunkline_pool_refusals_total.',
  },
  trunkline_token_rejections_total: {
    type: 'counter',
    help: 'Access tokens refused, by use and reason.',
    labels: {
      use: ['client', 'server', 'rest'],
      reason: [
        'missing',
        'oversized',
        'malformed',
        'algorithm',
        'signature',
        'expired',
        'not-yet-valid',
        'audience',
      ],
    },
    meaning: 'Access tokens refused: of clients, of app servers (server), of REST callers (rest).',
    whenItRises:
      'signature: a key differs between the edge and who signs, often half-way through a rotation. expired or not-yet-valid: a clock is wrong, or clients reuse old tokens. audience: the token was made for another hub, path or use. Many of any kind from one place: somebody is trying.',
  },
  trunkline_messages_total: {
    type: 'counter',
    help: 'Messages relayed, by direction.',
    labels: { direction: DIRECTIONS },
    meaning:
      'from_client: hub messages of clients on their way to an app server. to_server: those of them that have been handed to the socket of one. from_server: service messages taken from app servers. to_client: messages handed to client sockets, one for each client, so that a broadcast to 1,000 clients is one from_server and 1,000 to_client.',
    whenItRises:
      'Expected with traffic. to_client far ahead of from_server is fan-out; from_client ahead of to_server: clients are closed, or moved, with messages on the way.',
  },
  trunkline_message_bytes_total: {
    type: 'counter',
    help: 'Bytes of relayed messages, by direction.',
    labels: { direction: DIRECTIONS },
    meaning:
      'Payload bytes of the messages counted in trunkline_messages_total, without WebSocket framing and TLS.',
    whenItRises: 'Expected with traffic. Compare with the capacity of the network card.',
  },
  trunkline_relay_latency_seconds: {
    type: 'histogram',
    help: 'Seconds a message spends inside the edge, by hop.',
    labels: { hop: ['client_to_server', 'server_to_client'] },
    buckets: SHORT_DURATIONS,
    meaning:
      'Time between the edge reading a message and handing it to the socket of the other side, one observation for each message relayed to one connection. Of client_to_server the time begins later: when the message, or the first of those that leave with it, is written for its server connection; what it has waited for before, such as the turn of its client, is not in it. Nor is network time, in either.',
    whenItRises:
      'The edge is short of CPU: see the event-loop delay and process_cpu_seconds_total. Spread the clients over more edges.',
  },
  trunkline_fanout_recipients: {
    type: 'histogram',
    help: 'Clients reached by a broadcast, group, user or list send.',
    labels: {},
    buckets: [0, 1, 10, 100, 1000, 10_000, 100_000],
    meaning:
      'How many clients of this edge one send to many went to. 0: nobody here was in its audience.',
    whenItRises: 'Groups or hubs have grown: each send costs CPU in proportion.',
  },
  trunkline_fanout_duration_seconds: {
    type: 'histogram',
    help: 'Seconds to hand one send to all its clients.',
    labels: {},
    buckets: SHORT_DURATIONS,
    meaning:
      'Time from decoding a send until the last client socket has it, of sends that have somebody here. Those that are written together are timed together, from the first of them.',
    whenItRises:
      'Nothing else moves while a send fans out. Send less, to smaller groups, or spread the clients over more edges.',
  },
  trunkline_fanout_skipped_total: {
    type: 'counter',
    help: 'Clients left out of a send, by reason.',
    labels: { reason: ['not_ready', 'no_payload'] },
    meaning:
      'not_ready: the client was on its way out, its hub having said Close or refused its handshake. no_payload: the app server gave no payload for the hub protocol of the client.',
    whenItRises:
      'not_ready is normal. no_payload: the app server does not have the hub protocol of some clients enabled; they miss every broadcast.',
  },
  trunkline_held_messages_total: {
    type: 'counter',
    help: 'Messages held back until the handshake response.',
    labels: {},
    meaning:
      'Messages for a client, counted for each, that came before its handshake response: to the connection, its groups, its user, or everybody. They are held and follow it.',
    whenItRises:
      'Normal where OnConnected sends something, most of all in a connect storm. One send is copied once, however many clients it waits for.',
  },
  trunkline_outbound_queue_bytes: {
    type: 'gauge',
    help: 'Bytes waiting for sockets, by side.',
    labels: { side: SIDES },
    meaning: 'Bytes handed to sockets and not yet taken by the network, summed over each side.',
    whenItRises:
      'client: clients read too slowly or are sent too much. server: app servers do not read fast enough; at the limit they get no new clients.',
  },
  trunkline_slow_clients_total: {
    type: 'counter',
    help: 'Clients closed for reading too slowly.',
    labels: {},
    meaning: 'Clients whose outbound queue was full, so that they were closed.',
    whenItRises:
      'A few are bad networks. Many at once: messages are too large or too many for the clients, or the network in front of the edge is full.',
  },
  trunkline_rest_requests_total: {
    type: 'counter',
    help: 'REST calls, by operation and class of status.',
    labels: { operation: 'given', status: ['2xx', '4xx', '5xx'] },
    meaning:
      'Calls of the REST API that name one of its operations, by how they were answered. A check that finds nothing is a 4xx. Calls whose callers went before they were answered are not counted.',
    whenItRises:
      '5xx: other edges do not answer in time, see trunkline_cluster_questions_total, or the edge is short of something, see trunkline_pool_refusals_total. 4xx of other operations than checks: a caller with a wrong key, see trunkline_token_rejections_total, or with a wrong request; the log says which.',
  },
  trunkline_protocol_errors_total: {
    type: 'counter',
    help: 'Bytes that follow no wire format, by side and code.',
    labels: {
      side: SIDES,
      code: ['truncated', 'oversized', 'bad-length', 'wrong-type', 'bad-text', 'too-deep'],
    },
    meaning:
      'What clients sent that is not framed as hub messages, and app servers that is not framed as service messages, or for a client as hub messages. Each closes its sender; the last one closes the client that it was for.',
    whenItRises:
      'client: a broken or hostile client. server: an app server of another protocol version, or a proxy that changes bytes.',
  },
  trunkline_unreadable_messages_total: {
    type: 'counter',
    help: 'Messages of app servers passed over because they cannot be read, by type.',
    labels: { type: 'given' },
    meaning:
      'Service messages in good frames whose content is not what their type has. Each is logged and passed over; who waits for an answer gets an error.',
    whenItRises:
      'An app server speaks a newer or an older form of that message than the edge knows. Its clients stay; what it asks for by that message does not happen.',
  },
  trunkline_bus_up: {
    type: 'gauge',
    help: 'Whether the edge is part of the bus: 1 or 0.',
    labels: {},
    meaning:
      '1 while other edges hear this one and it hears them; always 1 on the embedded bus. 0 from the loss of NATS or Redis until the edge has joined again. After 3 s at 0 /ready answers 503.',
    whenItRises:
      'When it falls to 0: the log has a line with the reason. Clients and app servers of this edge go on with each other; what crosses to other edges waits for up to 5 s and is then lost. On all edges at once: the engine; on one: the network to it, or the edge reads too slowly.',
  },
  trunkline_bus_messages_total: {
    type: 'counter',
    help: 'Messages between edges, by direction.',
    labels: { direction: BUS_DIRECTIONS },
    meaning:
      'published: messages for other edges, said once whatever the number of edges that hear them. received: messages of other edges.',
    whenItRises: 'Expected with traffic of hubs that have clients on several edges.',
  },
  trunkline_bus_bytes_total: {
    type: 'counter',
    help: 'Bytes of messages between edges, by direction.',
    labels: { direction: BUS_DIRECTIONS },
    meaning:
      'Payload bytes of the messages counted in trunkline_bus_messages_total, without what batches and the protocol of the engine add.',
    whenItRises: 'Expected with traffic. Compare with the capacity of the network card.',
  },
  trunkline_bus_batches_total: {
    type: 'counter',
    help: 'Batches between edges, by direction.',
    labels: { direction: BUS_DIRECTIONS },
    meaning:
      'What is said in one turn of the event loop for one subject is one batch. Messages divided by batches is how well batching works.',
    whenItRises:
      'Each batch costs CPU here and in the engine. Many more batches than a few for each turn: sends to very many groups or users.',
  },
  trunkline_bus_queue_bytes: {
    type: 'gauge',
    help: 'Bytes that wait for the bus.',
    labels: {},
    meaning:
      'Said to other edges and not handed to the engine yet, because it is away or slow: 16 MB and 5 s at most, above which the oldest are dropped.',
    whenItRises: 'The engine is away (see trunkline_bus_up), or too slow for what this edge says.',
  },
  trunkline_bus_dropped_total: {
    type: 'counter',
    help: 'Messages for other edges that were dropped, by reason.',
    labels: { reason: ['full', 'stale', 'too_large'] },
    meaning:
      'full: more than 16 MB waited for the engine. stale: it waited for more than 5 s. Other edges hear that something is missing, and count it as a gap. too_large: one message of more than 16 MB, which is said to no other edge; a line in the log names the hub.',
    whenItRises:
      'full, stale: an outage of the engine, see trunkline_bus_up. too_large: an app server sends to many what is too large for it.',
  },
  trunkline_bus_gaps_total: {
    type: 'counter',
    help: 'Times that messages of other edges may be missing, by cause.',
    labels: { cause: ['cut', 'sender', 'missing', 'restarted', 'unreadable'] },
    meaning:
      'cut: this edge was cut off from the engine. sender: another edge was, or had to drop something. missing: a batch did not arrive, though neither was cut off. restarted: another edge is a new process. unreadable: what came could not be read or put together.',
    whenItRises:
      'restarted: deployments. cut, sender: outages of the engine or the network; on one edge alone, an edge that reads too slowly. missing: routes between servers of the engine that lose messages. unreadable: somebody else writes to the subjects of this cluster.',
  },
  trunkline_bus_reconnects_total: {
    type: 'counter',
    help: 'Times that the bus was lost.',
    labels: {},
    meaning: 'How often the edge was part of the bus and then was not, until it joined again.',
    whenItRises:
      'Look at the engine, at the network to it, and at the event-loop delay: an edge that does not read for a second is cut off.',
  },
  trunkline_bus_subscriptions: {
    type: 'gauge',
    help: 'Subjects that the edge has subscribed to.',
    labels: {},
    meaning:
      'Subjects on NATS or Redis: those of the hubs in use, of the groups and users with somebody here, and three of the edge itself.',
    whenItRises:
      'Expected with hubs, groups and users. Each costs memory in the edge and in the engine.',
  },
  trunkline_cluster_members: {
    type: 'gauge',
    help: 'Edges of the cluster that are there, this one included.',
    labels: {},
    meaning:
      'Edges on the same bus and in the same cluster that this edge has heard in the last three seconds.',
    whenItRises:
      'It should be the number of edges that run, and the same on each. Where it is not, look at trunkline_bus_up and trunkline_bus_gaps_total of the edges, and at what they log as edge joined and edge gone.',
  },
  trunkline_cluster_lost_total: {
    type: 'counter',
    help: 'Times that another edge was gone without a word.',
    labels: {},
    meaning:
      'How often another edge that had not said that it stops was not heard for three seconds, or was started anew.',
    whenItRises:
      'That edge has crashed, is frozen, or has lost the bus: its own log and metrics say which.',
  },
  trunkline_cluster_questions_total: {
    type: 'counter',
    help: 'Questions to other edges, by what came of them.',
    labels: { outcome: ['answered', 'not_found', 'timed_out', 'refused'] },
    meaning:
      'What app servers ask that another edge has to answer: joins, checks, closes, lists of groups, results of clients. answered: an edge had it, or all have done it. not_found: none has it. timed_out: an edge did not answer within 3 s (a client within 10 min), or its answer may be lost. refused: too many were open.',
    whenItRises:
      'timed_out: see trunkline_bus_gaps_total and the event-loop delay of the other edges. not_found: app servers speak of clients that have gone, which is normal in small numbers.',
  },
  trunkline_cluster_claims_total: {
    type: 'counter',
    help: 'WebSockets with connection ids of other edges, by what came of them.',
    labels: { outcome: ['granted', 'taken_over', 'refused', 'unanswered', 'abandoned'] },
    meaning:
      'Clients that negotiated at one edge and connect at another. granted: the edge that has minted the id gave it up. taken_over: that edge was gone, and the signature of the token was enough. refused: the id was used up, or not given out to this user. unanswered: an edge that had to be asked did not answer, and the client was told 503. abandoned: the client went before there was an answer.',
    whenItRises:
      'granted: normal behind a load balancer that does not stick. taken_over: edges stop or crash while clients connect. unanswered: see trunkline_bus_gaps_total and the event-loop delay of the other edges. refused: somebody brings tokens twice or too late.',
  },
  trunkline_cluster_relays_total: {
    type: 'counter',
    help: 'Requests that landed here and were for a client of another edge, by kind and what became of them.',
    labels: {
      kind: ['poll', 'stream', 'post', 'leave'],
      outcome: ['answered', 'gone', 'cut', 'lost', 'timed_out', 'refused'],
    },
    meaning:
      'Long polls, event streams, posts and deletes whose connection another edge has, which answers them through this one. answered: the answer was complete. gone: the client went first, or its body was over a bound. cut: the other edge gave the client up. lost: the other edge is gone, or something between the two may be lost. timed_out: no answer in time. refused: no room, too much under way to that edge, or no bus.',
    whenItRises:
      'Expected where a load balancer spreads requests. lost: see trunkline_bus_gaps_total and trunkline_cluster_lost_total. timed_out: see the event-loop delay of the other edges. Sticky routing by the id in the query saves all of them.',
  },
  trunkline_cluster_relays: {
    type: 'gauge',
    help: 'Requests that landed here and another edge is answering now, by kind.',
    labels: { kind: ['poll', 'stream', 'post', 'leave'] },
    meaning:
      'Polls that hang, event streams that are open, posts and deletes under way, of clients that another edge has.',
    whenItRises:
      'Clients without WebSockets: with a load balancer that does not stick, all but one in so many edges have a stream or a poll here.',
  },
  trunkline_cluster_remote_clients: {
    type: 'gauge',
    help: 'Clients of this edge whose app server has dialled another edge.',
    labels: {},
    meaning:
      'What they and their app server say to each other goes over the bus: their edge had no app server of their hub when they came, or not the one that they stick to.',
    whenItRises:
      'Every message costs more than at one edge. App servers are asked for one connection more where there are none; if it stays so, see that they dial every edge, or that the balancer spreads them.',
  },
  trunkline_cluster_guests: {
    type: 'gauge',
    help: 'Clients of other edges that app servers of this edge serve.',
    labels: {},
    meaning:
      'The other end of trunkline_cluster_remote_clients: the sums over all edges are the same.',
    whenItRises: 'See trunkline_cluster_remote_clients of the other edges.',
  },
  trunkline_cluster_guest_ends_total: {
    type: 'counter',
    help: 'Clients of other edges that are served here no more, by why.',
    labels: {
      reason: [
        'client_gone',
        'moved',
        'closed_by_app_server',
        'app_server_lost',
        'closed',
        'line_lost',
        'edge_lost',
        'refused',
      ],
    },
    meaning:
      'client_gone: it ended. moved: it went to another app server. closed_by_app_server: its hub ended it. app_server_lost: the server connection that carried it ended. closed: this edge ended it, because its app server does not read or goes. line_lost: messages between the two edges were lost, or may be. edge_lost: the edge of the client is gone. refused: no server connection of the app server that was named took it.',
    whenItRises:
      'line_lost: see trunkline_bus_gaps_total. edge_lost: see trunkline_cluster_lost_total. closed: app servers that read too slowly. refused: normal in small numbers, when app servers come and go.',
  },
  trunkline_upstream_calls_total: {
    type: 'counter',
    help: 'Events for upstreams, by what came of them.',
    labels: {
      hub: 'open',
      category: UPSTREAM_CATEGORIES,
      outcome: [
        'ok',
        'refused',
        'server_error',
        'timeout',
        'unreachable',
        'address_refused',
        'broken',
        'too_large',
        'breaker_open',
        'unmatched',
        'dropped',
      ],
    },
    meaning:
      'Events of clients without an app server, each try of one counted. ok: answered 2xx. refused: another answer below 500. server_error: 500 or above. timeout: no answer in --upstream-timeout. unreachable: no connection. address_refused: an address that --upstream-allow does not permit. broken: the answer ended before its end. too_large: an answer over 16 MiB, or one that took the room that others needed. breaker_open: not called, since the upstream had failed several times in a row. unmatched: a call of a client that no rule sends anywhere. dropped: too much waited.',
    whenItRises:
      'unreachable, timeout, server_error, breaker_open: the upstream is down or too slow. refused: it does not know the event (404) or the signature (401). unmatched: the rules of the hub leave a method out. dropped: see trunkline_pool_refusals_total.',
  },
  trunkline_upstream_call_duration_seconds: {
    type: 'histogram',
    help: 'Seconds a call to an upstream takes.',
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100],
    meaning:
      'From the beginning of a call to the end of its answer, whatever that is. The time that it waited for its turn is not in it.',
    whenItRises:
      'The upstream is slow: events of one client follow each other, so each waits for the one before.',
  },
  trunkline_upstream_calls: {
    type: 'gauge',
    help: 'Calls to upstreams, by state.',
    labels: { state: ['in_flight', 'waiting'] },
    meaning: 'Calls that are under way, and calls that wait until there is room for one more.',
    whenItRises:
      'waiting above 0 for long: upstreams are too slow for their clients, or --upstream-concurrency is too low.',
  },
  trunkline_upstream_retries_total: {
    type: 'counter',
    help: 'Times that an upstream is told again of a client that came or went.',
    labels: {},
    meaning:
      'Events connected and disconnected that failed and were put off, for 1 s at first and 8 s at last. Calls of clients are never made twice.',
    whenItRises: 'The upstream is down or overloaded: see trunkline_upstream_calls_total.',
  },
  trunkline_upstream_breakers: {
    type: 'gauge',
    help: 'Upstreams called of late, by the state of their breaker.',
    labels: { state: ['closed', 'open', 'half_open'] },
    meaning:
      'open: five calls in a row have failed, and for 5 s none is made. half_open: the next call shows whether it is back.',
    whenItRises:
      'open: an upstream is down; the log names it in the line "upstream is not called for a while".',
  },
  trunkline_event_loop_delay_seconds: {
    type: 'gauge',
    help: 'How late the event loop was since the last scrape.',
    labels: { statistic: ['p50', 'p99', 'max'] },
    meaning:
      'How much later than planned a timer ran, over the time since the previous scrape. Each scrape starts anew, so let one Prometheus scrape an edge, not two.',
    whenItRises:
      'Something keeps the one thread busy: too much traffic for a core, or fan-out to very many clients. Spread the clients over more edges.',
  },
  trunkline_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: { version: 'open', node: 'open' },
    meaning: 'The versions of Trunkline and of Node that the process runs.',
    whenItRises: 'It does not. Two values at once mean that an upgrade is under way.',
  },
  process_cpu_seconds_total: {
    type: 'counter',
    help: 'User and system CPU seconds spent.',
    labels: {},
    meaning: 'CPU time of the process. Its rate is the number of cores in use.',
    whenItRises: 'A rate near 1 is the most that one edge can do: add an edge.',
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Resident memory in bytes.',
    labels: {},
    meaning: 'Memory of the process that is in RAM.',
    whenItRises:
      'It follows the number of clients and the outbound queues. When it grows while both are flat, report it with a heap snapshot.',
  },
  process_open_fds: {
    type: 'gauge',
    help: 'Open file descriptors.',
    labels: {},
    meaning: 'File descriptors in use: about one for each connection. Linux only.',
    whenItRises: 'At process_max_fds no further connection is accepted: raise the limit in time.',
  },
  process_max_fds: {
    type: 'gauge',
    help: 'Most file descriptors that may be open.',
    labels: {},
    meaning: 'The soft limit on open files when the process started. Linux only.',
    whenItRises: 'It changes only with a restart under another limit.',
  },
  process_start_time_seconds: {
    type: 'gauge',
    help: 'Start time of the process, in Unix seconds.',
    labels: {},
    meaning: 'When the process started.',
    whenItRises: 'The process has restarted; its counters began at 0 again.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

type NamesOfType<T> = {
  [M in MetricName]: (typeof METRICS)[M]['type'] extends T ? M : never;
}[MetricName];

export type HistogramName = NamesOfType<'histogram'>;

/** The labels of a metric: those of a closed list by their values, others as text. */
export type LabelsOf<M extends MetricName> = {
  readonly [
    L in keyof (typeof METRICS)[M]['labels']
  ]: (typeof METRICS)[M]['labels'][L] extends readonly (infer V)[] ? V : string;
};
