/** @type {Record<string, string>} */
export const surpriseZh = {
  "surprise.empty": "这里显示文本中最让模型意外的词。在纸上写两个词就能看到。",
  "surprise.mean": "平均意外程度",
  "surprise.mean.value": "{bits} 比特/token",
  "surprise.perplexity": "困惑度",
  "surprise.hint": "困惑度 {perplexity}：平均而言，模型就像要在 {perplexity} 个同样可能的 token 中选择那样拿不准。",
  "surprise.title": "最意外的词",
  "surprise.table": "所有 token",
  "surprise.table.hint": "选中处附近的 token。下载的文件包含全部 {count} 个。",
  "surprise.table.hint.sorted": "按此顺序的前 {shown} 个。下载的文件包含全部 {count} 个。",
  "surprise.table.sort": "按{column}排序",
  "surprise.table.number": "序号",
  "surprise.table.id": "编号",
  "surprise.picture": "逐个 token 的意外程度",
  "surprise.legend": "意外程度，从 0 到 {bits} 比特及以上；只有边框的：无从预料，或尚不知道",
};
