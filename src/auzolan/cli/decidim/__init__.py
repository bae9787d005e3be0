"""The commands of `deliberate` that meet a Decidim: `import --from decidim`, `kit`, `publish --to decidim-files`."""
