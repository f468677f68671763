import { defineConfig } from 'vite';

const at = (path: string): string => new URL(path, import.meta.url).pathname;

/** The dashboard's page: static files with relative addresses, so that any path and prefix may serve them. */
export default defineConfig({
  root: at('./lib/observability/dashboard/page'),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // Beside the server's code, which looks for it there.
    outDir: at('./dist/bundle/observability/dashboard/page/dist'),
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the page's Content-Security-Policy forbids it.
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: false,
        entryFileNames: 'app.js',
        assetFileNames: 'app[extname]',
      },
    },
  },
});
