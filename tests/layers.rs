//! The structure that `src/lib.rs` promises: modules import downwards only, and no two files import
//! each other, directly or through others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// From the ground floor up. Modules in one row do not import each other.
const LAYERS: [&[&str]; 16] = [
    &["text"],
    &["ec2"],
    &["net"],
    &["words"],
    &["baseline"],
    &["settings"],
    &["event", "declared"],
    &["evaluate"],
    &["finding"],
    &["ledger"],
    &["audit", "history"],
    &["evidence"],
    &["report"],
    &["memory", "aws", "describe"],
    &["doctor"],
    &["cli"],
];

/// A module by its path from the crate's root; each has a file of its own.
type Module = Vec<String>;

/// What a file imports, and what it re-exports under which name.
#[derive(Default)]
struct File {
    paths: Vec<Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
    })
}

impl File {
    fn take(&mut self, tree: &UseTree, prefix: &[String], is_public: bool) {
        let with = |ident: &syn::Ident| [prefix, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.take(&path.tree, &with(&path.ident), is_public),
            UseTree::Name(name) if name.ident == "self" => self.paths.push(prefix.to_vec()),
            UseTree::Name(name) => self.import(with(&name.ident), &name.ident, is_public),
            UseTree::Rename(rename) => self.import(with(&rename.ident), &rename.rename, is_public),
            UseTree::Glob(_) => self.paths.push(prefix.to_vec()),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.take(tree, prefix, is_public));
            }
        }
    }

    fn import(&mut self, path: Vec<String>, name: &syn::Ident, is_public: bool) {
        if is_public {
            self.exports.insert(name.to_string(), path.clone());
        }
        self.paths.push(path);
    }
}

impl<'ast> Visit<'ast> for File {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        assert!(item.content.is_none(), "mod {} has no file of its own", item.ident);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.take(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        if segments.len() > 1 {
            self.paths.push(segments);
        }
        visit::visit_path(self, path);
    }
}

fn read(folder: &Path, module: &[String], files: &mut BTreeMap<Module, File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if matches!(name.as_str(), "tests" | "bin") {
            continue;
        }
        let of_entry = match name.as_str() {
            "lib" | "mod" => module.to_vec(),
            _ => [module, &[name]].concat(),
        };
        if path.is_dir() {
            read(&path, &of_entry, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut file = File::default();
            file.visit_file(&syn::parse_file(&text).unwrap());
            files.insert(of_entry, file);
        }
    }
}

/// The module whose file defines what a path names; `None` where that is another crate's.
fn definer(files: &BTreeMap<Module, File>, from: &[String], path: &[String]) -> Option<Module> {
    let (mut at, mut rest) = match path.split_first()? {
        (first, rest) if first == "crate" => (Vec::new(), rest),
        (first, rest) if first == "self" => (from.to_vec(), rest),
        (first, _) if first == "super" => {
            let ups = path.iter().take_while(|segment| *segment == "super").count();
            (from.get(..from.len().checked_sub(ups)?)?.to_vec(), path.get(ups..)?)
        }
        // A module of its own.
        (first, rest) => {
            let child = [from, std::slice::from_ref(first)].concat();
            files.contains_key(&child).then_some((child, rest))?
        }
    };
    while let Some((next, behind)) = rest.split_first() {
        let child = [&at[..], std::slice::from_ref(next)].concat();
        if files.contains_key(&child) {
            (at, rest) = (child, behind);
        } else if let Some(exported) = files.get(&at)?.exports.get(next) {
            return definer(files, &at, exported);
        } else {
            break;
        }
    }
    Some(at)
}

/// Which file imports from which.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut files);
    let of = |(module, file): (&Module, &File)| {
        let definers = file.paths.iter().filter_map(|path| definer(&files, module, path));
        (module.clone(), definers.filter(|definer| definer != module).collect())
    };
    files.iter().map(of).collect()
}

fn layer(module: &Module) -> Option<usize> {
    let top = module.first()?;
    let found = LAYERS.iter().position(|layer| layer.contains(&top.as_str()));
    Some(found.unwrap_or_else(|| panic!("`{top}` is in no layer")))
}

#[test]
fn modules_import_downwards_only() {
    let imports = imports();
    assert!(imports.len() > 80, "only {} files were read", imports.len());
    for (module, imported) in &imports {
        for other in imported.iter().filter(|other| other.first() != module.first()) {
            let (module_at, other_at) = (layer(module), layer(other));
            assert!(
                module_at.is_none() || other_at.is_some_and(|other| Some(other) < module_at),
                "{} imports {}, which is not below it",
                module.join("::"),
                other.join("::")
            );
        }
    }
}

/// Every module that is reached by imports from this one.
fn reached(imports: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut todo: Vec<&Module> = imports.get(from).into_iter().flatten().collect();
    while let Some(module) = todo.pop() {
        if reached.insert(module.clone()) {
            todo.extend(imports.get(module).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn no_files_import_each_other() {
    let imports = imports();
    let reached: BTreeMap<&Module, BTreeSet<Module>> =
        imports.keys().map(|module| (module, reached(&imports, module))).collect();
    let mut cycles = Vec::new();
    for (module, imported) in &imports {
        let back = imported.iter().filter(|other| reached[other].contains(module));
        let back: Vec<String> = back.map(|other| other.join("::")).collect();
        if !back.is_empty() {
            cycles.push(format!("{} -> {}", module.join("::"), back.join(", ")));
        }
    }
    assert!(cycles.is_empty(), "these files import each other:\n{}", cycles.join("\n"));
}
