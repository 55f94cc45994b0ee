import type { McpServer } from '@modelcontextprotocol/server'
import { memorySkillFiles, SkillsExtension } from '@modelcontextprotocol/server/ext/skills'

/** Offers two skills: folders of instructions that a client reads like resources (the extension of SEP-2640). */
export function offerSkills(mcp: McpServer): void {
  skills.attach(mcp)
}

const skills = await SkillsExtension.load(
  memorySkillFiles({
    'tea-making/SKILL.md': `---
name: tea-making
description: Makes tea. Use it when somebody is thirsty or cold.
---

# Making tea

Boil the water, then look up in references/LEAVES.md how long the leaves stay in it.
`,
    'tea-making/references/LEAVES.md': '# Leaves\n\nGreen: two minutes. Black: four minutes.\n',
    'counting-words/SKILL.md': `---
name: counting-words
description: Counts the words of a text.
---

# Counting words

Run scripts/count.sh with the text as its input.
`,
    'counting-words/scripts/count.sh': '#!/bin/sh\nexec wc -w\n',
  }),
  { strict: true, cacheHint: { ttlMs: 3_600_000, cacheScope: 'public' } },
)
