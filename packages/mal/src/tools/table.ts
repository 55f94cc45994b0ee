import { checkPermissions, getProfile, getTokenInfo, rotateTokens, testConnection } from './account.ts'
import { analyzeTaste } from './analyze-taste.ts'
import { getAuthStatus } from './auth-status.ts'
import { calibrateScores } from './calibrate-scores.ts'
import { applyPlan, listOperations, resumeOperation } from './carry-out-plan.ts'
import { compareWithCommunity, compareWithUser } from './compare.ts'
import { deleteEntry } from './delete-entry.ts'
import { exportCalendar } from './export-calendar.ts'
import { exportList } from './export-list.ts'
import { getForumTopic, listForumBoards, searchForumTopics } from './forum.ts'
import { getActivity } from './get-activity.ts'
import { getAnimeDetail, getMangaDetail } from './get-detail.ts'
import { getMyAnimeList, getMyMangaList, getUserAnimeList, getUserMangaList } from './get-my-list.ts'
import { getSchedule } from './get-schedule.ts'
import { getUserStats } from './get-user-stats.ts'
import { importList } from './import-list.ts'
import { listTags } from './list-tags.ts'
import { planBacklog } from './plan-backlog.ts'
import { addEntries, deleteEntries, editTags, planBulkUpdate } from './plan-bulk.ts'
import { getAnimeRanking, getMangaRanking } from './rankings.ts'
import { prepareTool, type PreparedTool } from './run.ts'
import { searchMyList } from './search-my-list.ts'
import { searchAnime, searchManga } from './search.ts'
import { getAnimeSuggestions, getSeasonalAnime } from './season.ts'
import type { Tool } from './tool.ts'
import { malUndo } from './undo.ts'
import { updateAnime, updateManga } from './update-entry.ts'

/** Every tool there is, by toolset and name. A new one is a file beside this and a row here. */
export const tools: readonly Tool[] = [
  // core
  analyzeTaste,
  deleteEntry,
  getAnimeDetail,
  getMangaDetail,
  getMyAnimeList,
  getMyMangaList,
  getUserStats,
  malUndo,
  searchAnime,
  searchManga,
  updateAnime,
  updateManga,

  // discover
  getAnimeRanking,
  getAnimeSuggestions,
  getMangaRanking,
  getSeasonalAnime,
  getUserAnimeList,
  getUserMangaList,

  // insight
  calibrateScores,
  compareWithCommunity,
  compareWithUser,
  getActivity,
  getSchedule,
  listTags,
  planBacklog,
  searchMyList,

  // bulk
  addEntries,
  applyPlan,
  deleteEntries,
  editTags,
  listOperations,
  planBulkUpdate,
  resumeOperation,

  // transfer
  exportCalendar,
  exportList,
  importList,

  // community
  getForumTopic,
  listForumBoards,
  searchForumTopics,

  // account
  checkPermissions,
  getAuthStatus,
  getProfile,
  getTokenInfo,
  rotateTokens,
  testConnection,
]

/** The same with their schemas made. */
export const preparedTools: readonly PreparedTool[] = tools.map(prepareTool)
