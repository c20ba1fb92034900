//! Which files of the repository are the site. `serve` and `dist` ask here, so what one shows the other ships.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Sources that the guide shows lines of. They ship as they are, as text; the guide's list is the only one.
static SOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../www/guide/sources.json"))
        .expect("www/guide/sources.json is a list of paths")
});

/// The page itself, at the site's root.
pub const INDEX: &str = "index.html";
/// The folder with everything else.
pub const FOLDER: &str = "www";

/// Turns the path of a URL (without its query, still percent-encoded) into a path below the site's root.
/// `None` if it names nothing that belongs to the site, above all anything outside it.
pub fn resolve(url_path: &str) -> Option<PathBuf> {
    let decoded = percent_decode(url_path)?;
    let relative = decoded.strip_prefix('/')?;
    let path = if relative.is_empty() { PathBuf::from(INDEX) } else { PathBuf::from(relative) };
    let clean = !decoded.contains(['\\', ':', '\0']) && !relative.contains("//");
    (clean && belongs(&path)).then_some(path)
}

/// Whether a path relative to the root belongs to the site.
fn belongs(path: &Path) -> bool {
    let Some(text) = path.to_str() else { return false };
    if text == INDEX || SOURCES.iter().any(|source| source == text) {
        return true;
    }
    let Some(inside) = text.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/')) else { return false };
    // Hidden files, `..` and what only `tsc` reads stay home.
    let for_tsc = text.ends_with(".d.ts") || text.ends_with("/tsconfig.json");
    !for_tsc && inside.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// Every file of the site below `root`, as sorted relative paths with `/`.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::from(INDEX)];
    found.extend(SOURCES.iter().map(PathBuf::from).filter(|source| root.join(source).is_file()));
    walk(root, Path::new(FOLDER), &mut found)?;
    found.retain(|path| belongs(path));
    found.sort();
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let at = root.join(folder);
    for entry in fs::read_dir(&at).with_context(|| format!("cannot read the folder {}", at.display()))? {
        let entry = entry?;
        // Joined by hand: a URL has `/` on every system.
        let path = PathBuf::from(format!("{}/{}", folder.display(), entry.file_name().to_string_lossy()));
        if entry.file_type()?.is_dir() { walk(root, &path, found)? } else { found.push(path) }
    }
    Ok(())
}

/// The content type of a file, by its extension.
pub fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        // Browsers compile a module while it downloads only under this type.
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "wgsl" | "rs" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_site_resolve() {
        assert_eq!(resolve("/"), Some(PathBuf::from("index.html")));
        assert_eq!(resolve("/www/main.js"), Some(PathBuf::from("www/main.js")));
        assert_eq!(
            resolve("/www/models/a%20b/model.safetensors"),
            Some(PathBuf::from("www/models/a b/model.safetensors"))
        );
    }

    #[test]
    fn nothing_else_resolves() {
        for path in [
            "",
            "index.html",
            "/Cargo.toml",
            "/src/lib.rs",
            "/www",
            "/www/",
            "/www/../Cargo.toml",
            "/www/%2e%2e/Cargo.toml",
            "/www/..%2fCargo.toml",
            "/www/..%5cCargo.toml",
            "/www//etc/passwd",
            "//etc/passwd",
            "/www/.hidden",
            "/www/pkg/.gitignore",
            "/www/pkg/gpt_playground.d.ts",
            "/www/tsconfig.json",
            "/www/a%00b",
            "/www/%zz",
            "/www/%2",
            "/www/c:/x",
        ] {
            assert_eq!(resolve(path), None, "{path}");
        }
    }

    #[test]
    fn files_are_those_that_resolve() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["index.html", "www/a.js", "www/pkg/x.wasm", "www/pkg/x.d.ts", "www/pkg/.gitignore", "secret.txt"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = files(dir.path()).unwrap();
        assert_eq!(found, ["index.html", "www/a.js", "www/pkg/x.wasm"].map(PathBuf::from));
        for file in found {
            assert_eq!(resolve(&format!("/{}", file.display())), Some(file));
        }
    }

    #[test]
    fn sources_that_the_guide_shows_are_shipped_as_text() {
        assert!(!SOURCES.is_empty());
        for source in SOURCES.iter() {
            let path = resolve(&format!("/{source}")).expect(source);
            assert!(crate::sh::root().join(&path).is_file(), "{source} is not there");
            assert_eq!(mime(&path), "text/plain; charset=utf-8", "{source}");
        }
        assert!(files(&crate::sh::root()).unwrap().contains(&PathBuf::from(&SOURCES[0])));
    }

    #[test]
    fn a_module_of_code_has_its_type() {
        assert_eq!(mime(Path::new("a/b.wasm")), "application/wasm");
        assert_eq!(mime(Path::new("main.js")), "text/javascript; charset=utf-8");
        assert_eq!(mime(Path::new("model.safetensors")), "application/octet-stream");
    }
}
