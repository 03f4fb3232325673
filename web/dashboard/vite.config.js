import { defineConfig } from 'vite';

export default defineConfig({
  // Apart from GraphiQL's, which may be switched off
  base: '/dashboard/',
  build: {
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    sourcemap: false,
    // A policy that forbids inline scripts and data: addresses is simpler to keep with files alone
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      onwarn(warning, warn) {
        // React's "use client" means nothing in a bundle
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
