/** The same in Chinese. */
export const zipZh = {
  "error.badZip": "{name} 不是这里能读取的 zip 文件。请解压后拖入其中的文件。",
  "error.zipDamaged": "{name} 中的 {file} 已损坏：与打包时不同。请重新制作或下载这个 zip 文件。",
  "error.zipBomb": "{name} 中的 {file} 解压后会大一百倍以上，权重不会如此，因此没有解压。",
  "error.zipMany": "{name} 中有 {count} 个可能属于模型的文件。请解压后只拖入一个模型的文件。",
};
