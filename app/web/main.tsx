import { render } from 'preact';
import { App } from './parts/app.tsx';
import { followJobs } from './service/live.ts';
import { takeDrops } from './state/intake.ts';
import { loadModels } from './state/models.ts';
import { restoreQueue } from './state/queue.ts';
import { choose } from './state/settings.ts';

const root = document.getElementById('app');
if (!root) throw new Error('the page has lost its root');

const isRestore = location.pathname.endsWith('/restore');
document.title = `${isRestore ? 'Restore & colorize' : 'Upscale'} · hiresfix`;
choose({ method: isRestore ? 'restore' : 'upscale' });
render(<App />, root);
takeDrops();
followJobs();
void restoreQueue().catch(() => undefined);
void loadModels();
