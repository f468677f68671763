import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderMermaidSVG } from 'beautiful-mermaid';
import { defineConfig } from 'vitepress';
import { sidebar } from './sidebar.mjs';

const read = (path) => JSON.parse(readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8'));
const { version, repository } = read('../../package.json');
const HOME = repository.url.replace(/^git\+|\.git$/g, '');

/** Words of questions that say nothing of what is asked for. */
const SEARCH_OPTIONS = {
  // It runs in the browser, too, and so refers to nothing outside itself.
  processTerm: (term) => {
    const empty =
      ' a an and are as at be by can do does for from how i in is it its me my of on or so than that the this to we what when where which who why will with without you your ';
    const word = term.toLowerCase();
    if (empty.includes(` ${word} `)) return null;
    const stem = word.length > 4 ? word.replace(/(?:ies|ing|ed|es|s|e|y)$/, '') : word;
    return stem.length > 2 ? stem : word;
  },
};

/** A wall. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#1f6fb2" d="M1 2h3v2h2V2h4v2h2V2h3v5l-1 7H2L1 7z"/></svg>';

export default defineConfig({
  lang: 'en',
  // An icon of its own: browsers ask for one anyway.
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  title: 'nestjs-bulwark',
  description: 'Resilience for NestJS: circuit breakers, timeouts, retries, bulkheads, rate limits and fallbacks.',
  base: process.env.DOCS_BASE ?? '/',
  // `npx serve`, GitHub Pages and a folder behind nginx all find `page.html`.
  cleanUrls: false,
  vite: { server: { host: '127.0.0.1' } },
  transformPageData({ relativePath, frontmatter }) {
    // The reference is looked up, not read page by page.
    if (relativePath.startsWith('api/')) Object.assign(frontmatter, { prev: false, next: false });
  },
  markdown: {
    // Shiki's own pair for text of enough contrast.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      drawDiagrams(md);
      leadOutOfTheSite(md);
      focusTables(md);
    },
  },
  themeConfig: {
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Policies', link: '/policies/', activeMatch: '/policies/' },
      { text: 'Recipes', link: '/recipes/', activeMatch: '/recipes/' },
      { text: 'API', link: '/api/', activeMatch: '/api/' },
      { text: version, link: `${HOME}/blob/main/CHANGELOG.md` },
    ],
    sidebar: sidebar(read('./api-sidebar.json')),
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: HOME }],
    search: {
      provider: 'local',
      options: {
        detailedView: true,
        miniSearch: {
          options: SEARCH_OPTIONS,
          searchOptions: {
            fuzzy: 0.15,
            prefix: true,
            boost: { title: 6, titles: 2, text: 1 },
            // What one asks for is seldom a type's own page.
            boostDocument: (id) => (id.includes('/api/') ? 0.2 : id.includes('upgrading') ? 0.4 : 1),
          },
        },
        _render: withSearchWords,
      },
    },
  },
});

/**
 * `<!-- search: fake time, unit test -->` gives a page what people ask for and no heading of it says. Each phrase is a section to the
 * search, found as `Testing > fake time`, and leads to the top of the page.
 */
function withSearchWords(source, env, md) {
  const html = md.render(source, env);
  const phrases = /<!-- search: (.*?) -->/.exec(source)?.[1].split(', ') ?? [];
  const sections = phrases.map(
    (phrase, index) => `<h2 id="find-${index}">${phrase} <a href="#find-${index}">#</a></h2>${phrase}`,
  );
  return html + sections.join('');
}

/** Draws ```mermaid as SVG in the colours of the page: nothing is loaded or drawn in the browser. */
function drawDiagrams(md) {
  const fence = md.renderer.rules.fence;
  let diagrams = 0;
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index];
    if (info.trim() !== 'mermaid') return fence(tokens, index, ...rest);
    const id = `diagram-${++diagrams}`;
    const svg = renderMermaidSVG(content)
      .replace(/<style>.*?<\/style>/s, '')
      .replace(/<svg ([^>]*?) style="[^"]*"/, '<svg $1 role="img" aria-label="diagram"')
      .replaceAll('id="arrowhead', `id="${id}-arrowhead`)
      .replaceAll('url(#arrowhead', `url(#${id}-arrowhead`);
    return `<div class="diagram" tabindex="0" v-pre>${svg}</div>`;
  };
}

/** Links to files outside docs/, as GitHub and npm show them, lead to the repository. */
function leadOutOfTheSite(md) {
  md.core.ruler.push('lead-out', ({ tokens, env }) => {
    const depth = (env.relativePath ?? '').split('/').length - 1;
    for (const { children } of tokens) {
      for (const token of children ?? []) {
        const href = token.type === 'link_open' ? token.attrGet('href') : null;
        const up = /^(?:\.\.\/)+/.exec(href ?? '')?.[0];
        if (up !== undefined && up.length / 3 > depth) {
          token.attrSet('href', `${HOME}/blob/main/${href.slice(up.length)}`);
        }
      }
    }
  });
}

/** Whoever has no mouse scrolls a wide table by its focus. */
function focusTables(md) {
  md.renderer.rules.table_open = () => '<table tabindex="0">\n';
}
