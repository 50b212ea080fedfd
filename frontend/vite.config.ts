import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vitest/config";

// The built files land in static/dist; Django reads their names from manifest.json.
export default defineConfig({
  base: "/static/dist/",
  plugins: [tailwindcss()],
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: ["chrome123", "firefox128", "safari17.5"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: "src/app.ts" },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"] },
});
