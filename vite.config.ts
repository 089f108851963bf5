import { defineConfig } from 'vite';

/** The dashboard's page: `app/web/` becomes `dist/web/`, beside the rest of the program. */
export default defineConfig({
  root: 'app/web',
  base: './', // the service may lie below a path
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing is written into the page itself: its policy allows files of its own alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
