import { defineConfig } from 'vite';

export default defineConfig({
  // The router serves the files under a fixed address, wherever the GraphQL path is.
  base: '/_graphiql/',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Monaco is one large chunk by nature; the page is for developers, not shoppers.
    chunkSizeWarningLimit: 6000,
    sourcemap: false,
    rolldownOptions: {
      onwarn(warning, warn) {
        // React's "use client" and "use no memo" mean nothing in a bundle; hundreds of notices would hide a real one.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  worker: { format: 'es' },
});
