import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { mockApi } from './dev/mock/plugin';

// `--mode mock` answers /api/v1 from generated traces; otherwise the API is a weft server on its default port.
export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === 'mock' ? [mockApi()] : [])],
  server: {
    host: '127.0.0.1',
    proxy: mode === 'mock' ? undefined : { '/api': process.env.WEFT_URL ?? 'http://127.0.0.1:3200' },
  },
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700, reportCompressedSize: true },
  test: {
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: ['src/**/*.test.ts', 'dev/**/*.test.ts'],
  },
}));
