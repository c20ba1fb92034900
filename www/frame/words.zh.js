/** The same in Chinese. @type {Record<string, string>} */
export const frameZh = {
  "picker.included": "随页面提供",
  "picker.mine": "你的模型",
  "picker.web": "来自 Hugging Face……",
  "picker.disk": "来自你的磁盘……",
  "picker.fits": "可以运行",
  "picker.lang.en": "英文",
  "picker.lang.zh": "中文",
  "picker.and": "、",

  "about.title": "关于本页",
  "about.what":
    "GPT 是续写文本的程序：它一次又一次地猜下一个 token。这里有一个小型 GPT 在你的浏览器中运行。你可以用它写作，" +
    "查看它计算的每一步，并用自己的文本训练它。它是真正的 GPT-2，只是比 OpenAI 公布的最小的一个还小约六十倍。",
  "about.model": "模型",
  "about.privacy": "隐私",
  "about.privacy.text":
    "你输入的内容只留在这个浏览器中。这里没有服务器、账户、cookie 或统计。页面只载入自己的文件；只有在你要求时，才从别的网站载入模型。",
  "about.licence": "许可",
  "about.licence.text": "本页是自由软件，可任选 MIT 许可证或 Apache 许可证 2.0。随页面提供的模型属于公有领域（CC0）。",
  "about.source": "源代码",
  "about.close": "关闭",
};
