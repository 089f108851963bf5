import { signal } from '@preact/signals';
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import type { JobState } from '../../client/job-state.ts';
import { activeJobIds, refreshJobs, takeJob } from '../state/queue.ts';
import { apiKey, SERVICE } from './connection.ts';

/** How progress comes in. */
export const connection = signal<'live' | 'asking' | 'lost'>('asking');

/** Between two questions, where the socket cannot be had. */
const ASK_MS = 2000;
/** Progress is shown once a frame, however much of it comes. */
const EVENTS = ['progress', 'completed', 'failed', 'cancelled'] as const;

/**
 * Follows the queue's jobs: by the service's socket, which subscribes anew whenever it was lost, and by asking every two seconds
 * while there is none.
 */
export function followJobs(): void {
  const socket = io(SERVICE.origin, {
    path: `${SERVICE.pathname}socket.io`,
    auth: (give) => give(apiKey.peek() === '' ? {} : { api_key: apiKey.peek() }),
    autoConnect: false,
    reconnectionDelayMax: ASK_MS,
  });
  const subscribed = new Set<string>();
  for (const event of EVENTS) socket.on(event, (job: JobState) => takeJob(job));
  socket.on('connect', () => {
    connection.value = 'live';
    subscribed.clear();
    subscribe(socket, subscribed);
    void refreshJobs().catch(() => undefined);
  });
  socket.on('disconnect', () => (connection.value = 'asking'));
  apiKey.subscribe(() => {
    socket.disconnect().connect();
  });
  activeJobIds.subscribe(() => {
    if (connection.peek() === 'live') subscribe(socket, subscribed);
  });
  setInterval(() => {
    // What the service has ended, and what could not be begun, the socket does not try again by itself.
    void askInstead().then((isThere) => isThere && !socket.active && socket.connect());
  }, ASK_MS);
}

function subscribe(socket: Socket, subscribed: Set<string>): void {
  for (const id of activeJobIds.peek()) {
    if (subscribed.has(id)) continue;
    subscribed.add(id);
    socket.emit('subscribe', { job_id: id });
  }
}

let isAsking = false;

/** Whether the service answered. */
async function askInstead(): Promise<boolean> {
  if (connection.peek() === 'live' || isAsking) return false;
  isAsking = true;
  try {
    await refreshJobs();
    connection.value = socketState(connection.peek());
    return true;
  } catch {
    connection.value = 'lost';
    return false;
  } finally {
    isAsking = false;
  }
}

/** The socket may have come back meanwhile. */
function socketState(now: typeof connection.value): typeof connection.value {
  return now === 'live' ? 'live' : 'asking';
}
